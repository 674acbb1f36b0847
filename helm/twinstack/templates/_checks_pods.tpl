{{/* What a schema cannot say about pods and what they are given; an API server would refuse it, or the pod would not
start. */}}
{{- define "twinstack.checkPods" -}}
{{- include "twinstack.checkLabels" . -}}
{{- include "twinstack.checkAccounts" . -}}
{{- include "twinstack.checkSecrets" . -}}
{{- include "twinstack.checkResources" (list "console.resources" .Values.console.resources) -}}
{{- include "twinstack.checkResources" (list "migration.resources" .Values.migration.resources) -}}
{{- $state := .Values.config.state -}}
{{- if or (not (hasPrefix "/" $state)) (has $state (list "/" "/tmp" "/etc/twinstack" "/etc/twinstack-ca")) -}}
{{- fail (printf "config.state: %s cannot be a folder of its own in a pod; name a whole path, such as /var/lib/twinstack" $state) -}}
{{- end -}}
{{- $size := len (include "twinstack.configData" .) -}}
{{- if gt $size 1048576 -}}
{{- fail (printf "files: the ConfigMap would have %d bytes, and Kubernetes takes 1048576; put large files into an image of your own" $size) -}}
{{- end -}}
{{- end -}}

{{/* No label of the user replaces one that objects are found by. */}}
{{- define "twinstack.checkLabels" -}}
{{- $own := list "helm.sh/chart" "networking.kserve.io/visibility" -}}
{{- range list "name" "instance" "version" "managed-by" "part-of" -}}
{{- $own = append $own (printf "app.kubernetes.io/%s" .) -}}
{{- end -}}
{{- $monitoring := .Values.monitoring -}}
{{- range $where, $labels := dict "commonLabels" .Values.commonLabels "monitoring.labels" $monitoring.labels "monitoring.dashboards.labels" $monitoring.dashboards.labels -}}
{{- range $label, $_ := $labels -}}
{{- if or (has $label $own) (hasPrefix "twinstack.io/" $label) -}}
{{- fail (printf "%s: %s is a label of the chart's own; use another" $where $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Fronts and predictors may do nothing, so their account is nobody else's. */}}
{{- define "twinstack.checkAccounts" -}}
{{- $accounts := .Values.config.cluster.service_accounts -}}
{{- $others := list $accounts.pipelines -}}
{{- if .Values.console.enabled -}}
{{- $others = append $others .Values.console.serviceAccount -}}
{{- end -}}
{{- if and .Values.rbac.create (has $accounts.serving $others) -}}
{{- fail (printf "config.cluster.service_accounts.serving: %s gets rights as the account of pipelines or operations API; name another" $accounts.serving) -}}
{{- end -}}
{{- end -}}

{{/* Nothing is given twice: variables, folders, Secrets of External Secrets. */}}
{{- define "twinstack.checkSecrets" -}}
{{- $root := . -}}
{{- range $component := list "front" "console" "migration" "test" -}}
{{- $variables := keys $root.Values.environment -}}
{{- $folders := list "/etc/twinstack" "/etc/twinstack-ca" -}}
{{- range $secret := $root.Values.secrets -}}
{{- if has $component $secret.for -}}
{{- range $variable, $_ := $secret.env -}}
{{- if has $variable $variables -}}
{{- fail (printf "secrets[%s].env.%s: the pods (%s) have this variable already, by environment or by another secret" $secret.name $variable $component) -}}
{{- end -}}
{{- $variables = append $variables $variable -}}
{{- end -}}
{{- with $secret.mount -}}
{{- if eq $component "test" -}}
{{- fail (printf "secrets[%s].mount: pods of helm test take variables (env), no folder" $secret.name) -}}
{{- end -}}
{{- if has . (list "/tmp" $root.Values.config.state) -}}
{{- fail (printf "secrets[%s].mount: %s is a folder that the pods write to; name another" $secret.name .) -}}
{{- end -}}
{{- range $folder := $folders -}}
{{- if or (hasPrefix (printf "%s/" $folder) (printf "%s/" $secret.mount)) (hasPrefix (printf "%s/" $secret.mount) (printf "%s/" $folder)) -}}
{{- fail (printf "secrets[%s].mount: %s and %s lie inside each other, and both are read-only; name another folder" $secret.name $secret.mount $folder) -}}
{{- end -}}
{{- end -}}
{{- $folders = append $folders . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $made := list -}}
{{- range $secret := .Values.secrets -}}
{{- if $secret.external -}}
{{- if has $secret.name $made -}}
{{- fail (printf "secrets[%s].external: two entries would make the same Secret; say it in one of them" $secret.name) -}}
{{- end -}}
{{- $made = append $made $secret.name -}}
{{- end -}}
{{- end -}}
{{- $ways := list -}}
{{- range .Values.networkPolicies.stores -}}
{{- if has .name $ways -}}
{{- fail (printf "networkPolicies.stores: %s is listed twice" .name) -}}
{{- end -}}
{{- $ways = append $ways .name -}}
{{- end -}}
{{- end -}}

{{/* No request is above its limit, for `list WHERE RESOURCES`. */}}
{{- define "twinstack.checkResources" -}}
{{- $where := index . 0 -}}
{{- $limits := default dict (index . 1).limits -}}
{{- range $name, $wanted := (index . 1).requests -}}
{{- $most := get $limits $name -}}
{{- if and (contains "/" $name) (ne (toString $wanted) (toString $most)) -}}
{{- fail (printf "%s.requests.%s: devices are not overcommitted; give limits the same amount" $where $name) -}}
{{- else if not (or (kindIs "invalid" $wanted) (kindIs "invalid" $most) (eq (toString $most) "")) -}}
{{- if gt (include "twinstack.amount" $wanted | float64) (include "twinstack.amount" $most | float64) -}}
{{- fail (printf "%s.requests.%s: %v is above the limit of %v" $where $name $wanted $most) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A quantity of Kubernetes as a plain number. */}}
{{- define "twinstack.amount" -}}
{{- $units := dict "" 1.0 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 -}}
{{- $unit := regexFind "[A-Za-z]+$" (toString .) -}}
{{- printf "%.3f" (mulf (trimSuffix $unit (toString .) | float64) (get $units $unit)) -}}
{{- end -}}
