{{/* What a schema cannot say about one twin, for `list $ TWIN`. */}}
{{- define "twinstack.checkTwin" -}}
{{- $root := index . 0 -}}
{{- $twin := index . 1 -}}
{{- $where := printf "twins[%s]" $twin.name -}}
{{- $standard := eq $root.Values.config.cluster.deployment_mode "Standard" -}}
{{- $declared := get $root.Values.config.twins $twin.name -}}
{{- if not $declared -}}
{{- fail (printf "%s: no such twin in config.twins; name one of: %s" $where (keys $root.Values.config.twins | sortAlpha | join ", ")) -}}
{{- end -}}
{{- if ne $declared.kind $twin.kind -}}
{{- fail (printf "%s: kind is %s here and %s in config.twins.%s" $where $twin.kind $declared.kind $twin.name) -}}
{{- end -}}
{{- range $part := list "front" "predictor" -}}
{{- $scaling := (get $twin $part).scaling -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "%s.%s.scaling: minReplicas %d is above maxReplicas %d" $where $part (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- if and $standard (lt (int $twin.front.scaling.minReplicas) 1) -}}
{{- fail (printf "%s.front.scaling.minReplicas: 0 needs mode Knative, which holds requests while a pod starts" $where) -}}
{{- end -}}
{{- if and (lt (int $twin.front.scaling.minReplicas) 1) (ne $twin.front.scaling.by "requests") -}}
{{- fail (printf "%s.front.scaling.minReplicas: 0 needs scaling by requests, which wake the first pod; set scaling.by to requests, or minReplicas to 1" $where) -}}
{{- end -}}
{{- include "twinstack.checkResources" (list (printf "%s.front.resources" $where) $twin.front.resources) -}}
{{- if $twin.predictor.enabled -}}
{{- include "twinstack.checkResources" (list (printf "%s.predictor.resources" $where) $twin.predictor.resources) -}}
{{- include "twinstack.checkPredictor" (list $root $twin $where) -}}
{{- end -}}
{{- end -}}

{{- define "twinstack.checkPredictor" -}}
{{- $root := index . 0 -}}
{{- $twin := index . 1 -}}
{{- $where := printf "%s.predictor" (index . 2) -}}
{{- $one := $twin.predictor -}}
{{- if not $one.storageUri -}}
{{- fail (printf "%s.storageUri: a pinned predictor needs a model" $where) -}}
{{- end -}}
{{- if and (lt (int $one.scaling.minReplicas) 1) (ne $one.scaling.by "requests") -}}
{{- fail (printf "%s.scaling.minReplicas: 0 needs scaling by requests: a metric of the front wakes the first pod" $where) -}}
{{- end -}}
{{- if and (eq $twin.kind "classic") (or $one.adapters $one.gpus (eq $one.engine "LLMInferenceService")) -}}
{{- fail (printf "%s: adapters, gpus and engine LLMInferenceService are for twins of kind llm" $where) -}}
{{- end -}}
{{- $names := list "base" (default $twin.name $one.modelName) -}}
{{- range $one.adapters -}}
{{- if has .name $names -}}
{{- fail (printf "%s.adapters: the name %s is taken" $where .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- if eq $one.engine "LLMInferenceService" -}}
{{- if lt (int $one.scaling.minReplicas) 1 -}}
{{- fail (printf "%s.scaling.minReplicas: an LLMInferenceService keeps one pod at the least" $where) -}}
{{- end -}}
{{- if eq $one.scaling.by "cpu" -}}
{{- fail (printf "%s.scaling.by: an LLMInferenceService scales by requests, or not at all (none)" $where) -}}
{{- end -}}
{{- range $one.args -}}
{{- if regexMatch "[\\s'\"$\x60\\\\;&|<>(){}]" . -}}
{{- fail (printf "%s.args: %s goes through a shell in an LLMInferenceService; write it as one word without quotes, such as --flag=value" $where .) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- include "twinstack.checkAdapters" (list $one $where) -}}
{{- end -}}
{{- if $one.cache.enabled -}}
{{- if not $one.cache.nodeGroups -}}
{{- fail (printf "%s.cache.nodeGroups: name the LocalModelNodeGroups that hold the model" $where) -}}
{{- end -}}
{{- if and $one.adapters (eq $one.engine "InferenceService") -}}
{{- fail (printf "%s: KServe takes the cache for a model of one URI only; use engine LLMInferenceService with adapters, or no cache" $where) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $one.engine "LLMInferenceService") (ne $root.Values.config.cluster.deployment_mode "Standard") -}}
{{- fail (printf "%s.engine: LLMInferenceService has no mode Knative" $where) -}}
{{- end -}}
{{- end -}}

{{/* Folders that lie beside each other, for `list PREDICTOR WHERE`. */}}
{{- define "twinstack.checkAdapters" -}}
{{- $one := index . 0 -}}
{{- $where := index . 1 -}}
{{- range $one.adapters -}}
{{- if or (hasPrefix "oci://" .uri) (hasPrefix "oci://" $one.storageUri) -}}
{{- fail (printf "%s: KServe takes an image (oci://) for a model of one URI only; keep base and adapters on s3, gs, hf or pvc" $where) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What a schema cannot say about the whole. */}}
{{- define "twinstack.checkAll" -}}
{{- $names := list -}}
{{- $services := list (printf "%s-console" (include "twinstack.fullname" .)) -}}
{{- if not (regexMatch "^[a-z]" (include "twinstack.fullname" .)) -}}
{{- fail (printf "release %s: names of Services begin with a letter; choose another release name, or set fullnameOverride" .Release.Name) -}}
{{- end -}}
{{- range include "twinstack.twins" . | fromJsonArray -}}
{{- if has .name $names -}}
{{- fail (printf "twins: %s is listed twice" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- range $service := list (include "twinstack.serviceName" (list $ .name)) (include "twinstack.serviceName" (list $ (printf "%s-pinned" .name))) (include "twinstack.serviceName" (list $ (printf "%s-released" .name))) -}}
{{- if has $service $services -}}
{{- fail (printf "twins: the name %s would be given twice; rename one twin" $service) -}}
{{- end -}}
{{- $services = append $services $service -}}
{{- end -}}
{{- end -}}
{{- $gpus := include "twinstack.pinnedGpus" . | int -}}
{{- if and .Values.limits.gpus (gt $gpus (int .Values.limits.gpus)) -}}
{{- fail (printf "limits.gpus: pinned predictors may take %d accelerators at their largest, allowed are %d; lower predictor.scaling.maxReplicas" $gpus (int .Values.limits.gpus)) -}}
{{- end -}}
{{- include "twinstack.checkPods" . -}}
{{- include "twinstack.checkConfig" . -}}
{{- range $name := concat (keys .Values.environment) (include "twinstack.secretVariables" . | fromJsonArray) -}}
{{- if eq $name "PYTHONPATH" -}}
{{- fail "environment, secrets: KServe refuses PYTHONPATH in its containers; name modules by path in config.twins" -}}
{{- end -}}
{{- if and (hasPrefix "TWINSTACK_" $name) (not (has (splitList "__" $name | first) (include "twinstack.overrides" $ | fromJsonArray))) -}}
{{- fail (printf "environment, secrets: %s names no field of the configuration, and the pods would not start; use one of: %s" $name (include "twinstack.overrides" $ | fromJsonArray | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- if include "twinstack.configured" . -}}
{{- include "twinstack.checkStores" . -}}
{{- include "twinstack.checkKeys" . -}}
{{- end -}}
{{- include "twinstack.checkImages" . -}}
{{- $namespace := get .Values.config.cluster "namespace" -}}
{{- if and $namespace (ne $namespace .Release.Namespace) -}}
{{- fail (printf "config.cluster.namespace is %s, and the release goes to %s; leave it out, or install with --namespace %s" $namespace .Release.Namespace $namespace) -}}
{{- end -}}
{{- if and .Values.monitoring.alertmanager.enabled (not .Values.console.enabled) -}}
{{- fail "monitoring.alertmanager.enabled: alerts go to the operations API; enable console, or switch the route off" -}}
{{- end -}}
{{- end -}}

{{/* Variables that secrets give, as a JSON list. */}}
{{- define "twinstack.secretVariables" -}}
{{- $variables := list -}}
{{- range .Values.secrets -}}
{{- $variables = concat $variables (keys (default dict .env)) -}}
{{- end -}}
{{- toJson $variables -}}
{{- end -}}

{{/* Beginnings of the variables that override the configuration, or that other parts read, as a JSON list. */}}
{{- define "twinstack.overrides" -}}
{{- $names := list -}}
{{- range list "PROFILE" "STATE" "ROOT" "STORES" "SERVING" "CONSOLE" "CLUSTER" "TWINS" "GIT_COMMIT" "CRASH_AT" "CONFIG" "KEYS" -}}
{{- $names = append $names (printf "TWINSTACK_%s" .) -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{/* Every store has a URI, in the configuration or by an override from a secret. */}}
{{- define "twinstack.checkStores" -}}
{{- $variables := include "twinstack.secretVariables" . | fromJsonArray -}}
{{- range $store := list "warehouse" "vectors" "features" "tracking" "artifacts" -}}
{{- $variable := printf "TWINSTACK_STORES__%s" (upper $store) -}}
{{- if and (eq $.Values.config.profile "cluster") (not (get $.Values.config.stores $store)) (not (has $variable $variables)) -}}
{{- fail (printf "config.stores.%s: profile cluster needs a URI; give one, or variable %s by secrets" $store $variable) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A server that other pods can reach has API keys, or is told to do without. */}}
{{- define "twinstack.checkKeys" -}}
{{- $serving := default dict (get .Values.config "serving") -}}
{{- $keys := default dict (get $serving "keys") -}}
{{- $served := or .Values.console.enabled .Values.twins -}}
{{- if and $served (not (get $keys "file")) (not (get $keys "environment")) (not (get $serving "allow_anonymous")) -}}
{{- fail "config.serving.keys: fronts and operations API do not start without API keys; name their file or variable, or set config.serving.allow_anonymous" -}}
{{- end -}}
{{- end -}}
