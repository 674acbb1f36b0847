{{/* Pod security context that Pod Security `restricted` admits, for a numeric user. */}}
{{- define "twinstack.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int . }}
runAsGroup: {{ int . }}
fsGroup: {{ int . }}
{{- /* A volume that has the group already is not walked through file by file at every start. */}}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* Container security context, for a numeric user. It repeats the pod's, because Knative takes it
without a feature flag. */}}
{{- define "twinstack.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: {{ int . }}
runAsGroup: {{ int . }}
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* Requests and limits as text: a large number would be written with an exponent. */}}
{{- define "twinstack.resources" -}}
{{- $found := deepCopy . -}}
{{- range $part := $found -}}
{{- range $name, $amount := $part -}}
{{- if not (kindIs "string" $amount) -}}
{{- $whole := eq (float64 (int64 $amount)) (float64 $amount) -}}
{{- $_ := set $part $name (ternary (int64 $amount | toString) (toString $amount) $whole) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* Whole cores of a limit, rounded up: `500m`, `1.5` or `4`; empty without a limit. */}}
{{- define "twinstack.cores" -}}
{{- with .limits -}}
{{- with .cpu -}}
{{- $cpu := toString . -}}
{{- if hasSuffix "m" $cpu -}}
{{- $cpu = divf (trimSuffix "m" $cpu | float64) 1000 -}}
{{- end -}}
{{- ceil (float64 $cpu) | int -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Environment of a component's container, for `list $ COMPONENT RESOURCES`. */}}
{{- define "twinstack.env" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $found := list -}}
{{- /* Numeric libraries start a thread for every core of the node otherwise, and are throttled at their limit. */ -}}
{{- $cores := include "twinstack.cores" (index . 2) -}}
{{- if and $cores (not (hasKey $root.Values.environment "OMP_NUM_THREADS")) -}}
{{- $found = append $found (dict "name" "OMP_NUM_THREADS" "value" $cores) -}}
{{- end -}}
{{- range $name, $value := $root.Values.environment -}}
{{- $found = append $found (dict "name" $name "value" $value) -}}
{{- end -}}
{{- if $root.Values.caBundle.configMap -}}
{{- range $name := list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" -}}
{{- if not (hasKey $root.Values.environment $name) -}}
{{- $found = append $found (dict "name" $name "value" "/etc/twinstack-ca/ca.crt") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $secret := $root.Values.secrets -}}
{{- if has $component $secret.for -}}
{{- range $variable, $key := $secret.env -}}
{{- $found = append $found (dict "name" $variable "valueFrom" (dict "secretKeyRef" (dict "name" $secret.name "key" $key))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $found -}}
env:
{{- toYaml $found | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* Volume mounts of a component's container, for `list $ COMPONENT`. */}}
{{- define "twinstack.mounts" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
- {name: config, mountPath: /etc/twinstack, readOnly: true}
{{- range $path, $_ := $root.Values.files }}
- {name: config, mountPath: {{ printf "%s/%s" (include "twinstack.root" $root) $path | quote }}, subPath: {{ $path | quote }}, readOnly: true}
{{- end }}
- {name: state, mountPath: {{ $root.Values.config.state | quote }}}
- {name: tmp, mountPath: /tmp}
{{- if $root.Values.caBundle.configMap }}
- {name: ca, mountPath: /etc/twinstack-ca, readOnly: true}
{{- end }}
{{- range $index, $secret := $root.Values.secrets }}
{{- if and (has $component $secret.for) $secret.mount }}
- {name: secret-{{ $index }}, mountPath: {{ $secret.mount | quote }}, readOnly: true}
{{- end }}
{{- end }}
{{- end -}}

{{/* Volumes of a component's pod, for `list $ COMPONENT STORAGE CONFIGMAP OWNER`; a claim that the chart makes is
named after the owner. */}}
{{- define "twinstack.volumes" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $storage := index . 2 -}}
- name: config
  configMap:
    name: {{ index . 3 | quote }}
    items:
      - {key: twinstack.yaml, path: twinstack.yaml}
      {{- range $path, $_ := $root.Values.files }}
      - {key: {{ include "twinstack.fileKey" $path | quote }}, path: {{ $path | quote }}}
      {{- end }}
- name: state
  {{- if or $storage.claim $storage.create }}
  persistentVolumeClaim: {claimName: {{ default (printf "%s-state" (index . 4)) $storage.claim | quote }}}
  {{- else }}
  emptyDir: {sizeLimit: {{ $storage.size }}}
  {{- end }}
- name: tmp
  emptyDir: {sizeLimit: {{ $root.Values.pods.tmpSize }}}
{{- with $root.Values.caBundle.configMap }}
- name: ca
  configMap:
    name: {{ . | quote }}
    items:
      - {key: {{ $root.Values.caBundle.key | quote }}, path: ca.crt}
{{- end }}
{{- range $index, $secret := $root.Values.secrets }}
{{- if and (has $component $secret.for) $secret.mount }}
- name: secret-{{ $index }}
  secret: {secretName: {{ $secret.name | quote }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* Whether a volume is one node's at a time: a new pod on another node would wait for the one before, which would
wait for the new one. */}}
{{- define "twinstack.oneNode" -}}
{{- if and (or .claim .create) (eq .accessMode "ReadWriteOnce") -}}true{{- end -}}
{{- end -}}

{{/* Key of a file in the ConfigMap, whose keys have no slash. */}}
{{- define "twinstack.fileKey" -}}
{{- printf "%s-%s" (sha256sum . | trunc 8) (base .) -}}
{{- end -}}

{{/* Nodes, spread and priority of our pods, for `list $ SELECTOR-LABELS`. */}}
{{- define "twinstack.scheduling" -}}
{{- $root := index . 0 -}}
{{- include "twinstack.nodes" $root }}
{{- include "twinstack.spread" . }}
{{- if $root.Values.priorityClasses.create }}
priorityClassName: {{ include "twinstack.priorityClass" (list $root "front") }}
{{- end }}
{{- end -}}

{{/* Nodes of our pods. */}}
{{- define "twinstack.nodes" -}}
{{- range $field := list "nodeSelector" "tolerations" "affinity" }}
{{- with get $.Values.pods $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* How the pods of one selector spread, for `list $ SELECTOR-LABELS`. */}}
{{- define "twinstack.spread" -}}
{{- with (index . 0).Values.pods.spread }}
{{- if .enabled }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: {{ .topologyKey | quote }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- index $ 1 | nindent 8 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What happens before a pod is asked to end: requests still arrive until every node knows that it goes. */}}
{{- define "twinstack.lifecycle" -}}
preStop: {sleep: {seconds: 5}}
{{- end -}}

{{/* Name of a PriorityClass, for `list $ NAME`; it is cluster-wide, so the namespace is part of it. An API server lets
nobody change its value, so the value is part of it too, and keeps names that begin with `system-` to itself. */}}
{{- define "twinstack.priorityClass" -}}
{{- $root := index . 0 -}}
{{- if hasPrefix "system-" $root.Release.Namespace }}of-{{ end -}}
{{- $value := get $root.Values.priorityClasses (index . 1) | int -}}
{{- printf "%s-%s-%s-%d" $root.Release.Namespace (include "twinstack.fullname" $root) (index . 1) $value -}}
{{- end -}}

{{- define "twinstack.pullSecrets" -}}
{{- with .Values.config.cluster.images.pull_secrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A probe of ours, for `list PATH PORT PERIOD FAILURES`. */}}
{{- define "twinstack.probe" -}}
httpGet: {path: {{ index . 0 }}, port: {{ index . 1 }}}
periodSeconds: {{ index . 2 }}
failureThreshold: {{ index . 3 }}
timeoutSeconds: 5
{{- end -}}

{{/* Where relative paths of the configuration start from: the project inside the images, unless it is named. */}}
{{- define "twinstack.root" -}}
{{- default (default "/project" (get .Values.config.cluster "project")) (get .Values.config "root") -}}
{{- end -}}

{{/* The configuration as it is mounted: values with the release's namespace and the project's folder. */}}
{{- define "twinstack.configData" -}}
{{- $config := deepCopy .Values.config -}}
{{- $_ := set $config.cluster "namespace" .Release.Namespace -}}
{{- $_ := set $config "root" (include "twinstack.root" .) -}}
{{- $own := dict -}}
{{- if .Values.priorityClasses.create -}}
{{- $_ := set $own "priority_class" (include "twinstack.priorityClass" (list . "predictor")) -}}
{{- end -}}
{{- with .Values.commonLabels -}}
{{- $_ := set $own "labels" (deepCopy .) -}}
{{- end -}}
{{- with .Values.limits.gpus -}}
{{- $_ := set $own "max_gpus" (sub (int .) (include "twinstack.pinnedGpus" $ | int)) -}}
{{- end -}}
{{- if $own -}}
{{- $_ := set $config.cluster "predictors" (merge (default (dict) $config.cluster.predictors) $own) -}}
{{- end -}}
{{- $data := dict "twinstack.yaml" (printf "%s\n" (toYaml $config)) -}}
{{- range $path, $text := .Values.files -}}
{{- $_ := set $data (include "twinstack.fileKey" $path) $text -}}
{{- end -}}
{{- toYaml $data -}}
{{- end -}}
