{{/* Arguments of the runtime, for a twin. */}}
{{- define "twinstack.predictorArgs" -}}
{{- $one := .predictor -}}
- --model_name={{ default .name $one.modelName }}
{{- if eq .kind "llm" }}
{{- if $one.adapters }}
- --model_dir={{ include "twinstack.modelPath" (list "base" $one.storageUri) }}
{{- end }}
{{- if $one.gpus }}
- --tensor-parallel-size={{ int $one.gpus }}
{{- end }}
{{- if $one.adapters }}
- --enable-lora
- --max-loras={{ len $one.adapters }}
- --lora-modules
{{- range $one.adapters }}
- {{ printf "%s=%s" .name (include "twinstack.modelPath" (list .name .uri)) | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- range $one.args }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Where one of several folders of a model lies, for `list NAME URI`. KServe mounts a claim whole where there are
several folders, and drops the path; so claims are mounted here, and not below the parent of what KServe fetches,
which is mounted read-only. */}}
{{- define "twinstack.modelPath" -}}
{{- printf "/mnt/%s/%s" (ternary "claims" "models" (hasPrefix "pvc://" (index . 1))) (index . 0) -}}
{{- end -}}

{{/* Folders of a predictor with adapters, as a JSON object of `fetched` (storageUris), `volumes` and `mounts`. */}}
{{- define "twinstack.modelFolders" -}}
{{- $fetched := list -}}
{{- $volumes := list -}}
{{- $mounts := list -}}
{{- range prepend .adapters (dict "name" "base" "uri" .storageUri) -}}
{{- $path := include "twinstack.modelPath" (list .name .uri) -}}
{{- if hasPrefix "pvc://" .uri -}}
{{- $parts := splitn "/" 2 (trimPrefix "pvc://" .uri | trimSuffix "/") -}}
{{- $name := printf "claim-%s" .name -}}
{{- $mount := dict "name" $name "mountPath" $path "readOnly" true -}}
{{- with $parts._1 -}}
{{- $_ := set $mount "subPath" . -}}
{{- end -}}
{{- $mounts = append $mounts $mount -}}
{{- $volumes = append $volumes (dict "name" $name "persistentVolumeClaim" (dict "claimName" $parts._0 "readOnly" true)) -}}
{{- else -}}
{{- $fetched = append $fetched (dict "uri" .uri "mountPath" $path) -}}
{{- end -}}
{{- end -}}
{{- toJson (dict "fetched" $fetched "volumes" $volumes "mounts" $mounts) -}}
{{- end -}}

{{/* Requests and limits with accelerators, which are never overcommitted. */}}
{{- define "twinstack.predictorResources" -}}
{{- $resources := deepCopy .resources -}}
{{- if .gpus -}}
{{- range $part := list $resources.requests $resources.limits -}}
{{- $_ := set $part $.accelerator (int $.gpus | toString) -}}
{{- end -}}
{{- end -}}
{{- include "twinstack.resources" $resources -}}
{{- end -}}

{{/* Everything that libraries want to write goes to /tmp, and nothing asks for the name of the user. */}}
{{- define "twinstack.predictorEnv" -}}
- {name: HOME, value: /tmp}
- {name: USER, value: twin}
{{- if eq .kind "llm" }}
- {name: HF_HOME, value: /tmp/huggingface}
- {name: VLLM_CACHE_ROOT, value: /tmp/vllm}
- {name: TORCHINDUCTOR_CACHE_DIR, value: /tmp/inductor}
- {name: TRITON_CACHE_DIR, value: /tmp/triton}
- {name: VLLM_NO_USAGE_STATS, value: "1"}
{{- end }}
{{- end -}}

{{/* Runtime by name, or the chart's own where it is made, for `list $ TWIN`. */}}
{{- define "twinstack.predictorRuntime" -}}
{{- $root := index . 0 -}}
{{- $twin := index . 1 -}}
{{- $kind := ternary "xgboost" "huggingface" (eq $twin.kind "classic") -}}
{{- $made := (get $root.Values.servingRuntimes $kind).create -}}
{{- default (ternary (printf "%s-%s" (include "twinstack.fullname" $root) $kind) "" $made) $twin.predictor.runtime -}}
{{- end -}}

{{/* Nodes and priority, for `list $ PREDICTOR`. */}}
{{- define "twinstack.predictorNodes" -}}
{{- $root := index . 0 -}}
{{- $one := index . 1 -}}
{{- range $field := list "nodeSelector" "tolerations" "affinity" }}
{{- with get $one $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with $one.runtimeClass }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- if $root.Values.priorityClasses.create }}
priorityClassName: {{ include "twinstack.priorityClass" (list $root "predictor") }}
{{- end }}
{{- end -}}

{{/* Name of a model's cache, for `list $ TWIN`. An API server lets nobody change the model of a cache, so the model is
part of the name; KServe writes the name into a label, so it has 63 characters at most. A LocalModelCache is
cluster-wide, so the namespace is part of its name. */}}
{{- define "twinstack.cacheName" -}}
{{- $root := index . 0 -}}
{{- $twin := index . 1 -}}
{{- $name := include "twinstack.serviceName" (list $root (printf "%s-pinned" $twin.name)) -}}
{{- if eq $twin.predictor.cache.scope "Cluster" -}}
{{- $name = printf "%s-%s" $root.Release.Namespace $name -}}
{{- end -}}
{{- $digest := printf "%s %s" $name $twin.predictor.storageUri | sha256sum | trunc 8 -}}
{{- printf "%s-%s" (trunc 54 $name | trimSuffix "-") $digest -}}
{{- end -}}

{{/* Settings of the predictors that the release stage makes for a twin of the configuration, as a JSON object, for
`list $ NAME KIND`. */}}
{{- define "twinstack.predictorWork" -}}
{{- $settings := default dict (index . 0).Values.config.cluster.predictors -}}
{{- $twins := default dict $settings.twins -}}
{{- if hasKey $twins (index . 1) -}}
{{- get $twins (index . 1) | default dict | toJson -}}
{{- else -}}
{{- get $settings (index . 2) | default dict | toJson -}}
{{- end -}}
{{- end -}}

{{/* Whether the release stage makes predictors for a twin of the configuration, for `list $ NAME TWIN`, as
`answers_without` in components/adapters/deployers.py decides. */}}
{{- define "twinstack.makesPredictor" -}}
{{- $twin := index . 2 -}}
{{- $work := include "twinstack.predictorWork" (list (index . 0) (index . 1) $twin.kind) | fromJson -}}
{{- $model := default "" (get $twin "model") -}}
{{- if eq $twin.kind "llm" -}}
{{- $model = default "package:" (get (default dict $twin.foundation) "model") -}}
{{- end -}}
{{- if not (or $work.in_front (regexMatch "^(https?://|package:)" $model)) -}}true{{- end -}}
{{- end -}}

{{/* Whether it makes any. Twins that are not in the values may need some. */}}
{{- define "twinstack.makesPredictors" -}}
{{- $root := . -}}
{{- if not .Values.config.twins -}}true{{- end -}}
{{- range $name, $twin := .Values.config.twins -}}
{{- include "twinstack.makesPredictor" (list $root $name $twin) -}}
{{- end -}}
{{- end -}}

{{/* Accelerators that pinned predictors take together at their largest. */}}
{{- define "twinstack.pinnedGpus" -}}
{{- $gpus := 0 -}}
{{- range include "twinstack.twins" . | fromJsonArray -}}
{{- if .predictor.enabled -}}
{{- $gpus = add $gpus (mul (int .predictor.gpus) (int .predictor.scaling.maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- $gpus -}}
{{- end -}}
