{{/* What `Config` says of several fields together (components/shared/config). The pods would say it too, after
everything is installed. */}}
{{- define "twinstack.checkConfig" -}}
{{- $config := .Values.config -}}
{{- include "twinstack.checkCluster" $config.cluster -}}
{{- $twins := keys $config.twins | sortAlpha -}}
{{- $named := dict -}}
{{- range $name, $run := $config.cluster.recurring -}}
{{- $_ := set $named (printf "recurring.%s.twin" $name) $run.twin -}}
{{- end -}}
{{- range $name, $_ := dig "predictors" "twins" dict $config.cluster -}}
{{- $_ := set $named (printf "predictors.twins.%s" $name) $name -}}
{{- end -}}
{{- range $where, $name := $named -}}
{{- if not (has $name $twins) -}}
{{- fail (printf "config.cluster.%s: no twin %s in config.twins; name one of: %s" $where $name (join ", " $twins)) -}}
{{- end -}}
{{- end -}}
{{- $giveUp := dig "serving" "breaker" "give_up_seconds" 45 $config | float64 -}}
{{- $deadline := dig "serving" "deadline_seconds" 120 $config | float64 -}}
{{- if ge $giveUp $deadline -}}
{{- fail (printf "config.serving.breaker.give_up_seconds: %v is not below serving.deadline_seconds %v; lower it, so that the fallback has time to answer" $giveUp $deadline) -}}
{{- end -}}
{{- range $name, $twin := $config.twins -}}
{{- include (printf "twinstack.check.%s" $twin.kind) (list (printf "config.twins.%s" $name) $twin) -}}
{{- end -}}
{{- end -}}

{{/* Stages, predictors, training and their nodes, for `config.cluster`. What is left out has the defaults of StageWork,
PredictorWork and Training. */}}
{{- define "twinstack.checkCluster" -}}
{{- $cluster := . -}}
{{- $pools := default dict .pools -}}
{{- $predictors := default dict .predictors -}}
{{- $stage := dict "cpu" "500m" "cpu_limit" "2" "memory" "2Gi" "memory_limit" "4Gi" -}}
{{- $training := dict "cpu" "4" "cpu_limit" "8" "memory" "16Gi" "memory_limit" "32Gi" -}}
{{- $predictor := dict "cpu" "500m" "cpu_limit" "2" "memory" "1Gi" "memory_limit" "2Gi" "replicas" 1 "max_replicas" 1 -}}
{{- $works := dict -}}
{{- range $name, $work := .stages -}}
{{- $_ := set $works (printf "stages.%s" $name) (include "twinstack.merged" (list $stage $work) | fromJson) -}}
{{- end -}}
{{- with .training -}}
{{- $_ := set $works "training" (include "twinstack.merged" (list $training .) | fromJson) -}}
{{- end -}}
{{- range $place, $named := dict "predictors" (pick $predictors "classic" "llm") "predictors.twins" (default dict $predictors.twins) -}}
{{- range $name, $given := $named -}}
{{- $work := include "twinstack.merged" (list $predictor $given) | fromJson -}}
{{- $_ := set $works (printf "%s.%s" $place $name) $work -}}
{{- include "twinstack.checkReplicas" (list (printf "config.cluster.%s.%s" $place $name) $work $cluster.deployment_mode) -}}
{{- end -}}
{{- end -}}
{{- range $where, $work := $works -}}
{{- include "twinstack.checkWork" (list (printf "config.cluster.%s" $where) $work $pools) -}}
{{- end -}}
{{- range $name, $pool := $pools -}}
{{- range $number, $taint := $pool.tolerations -}}
{{- if and $taint.value (eq (default "Exists" $taint.operator) "Exists") -}}
{{- fail (printf "config.cluster.pools.%s.tolerations[%d].value: operator Exists takes no value, not %s; leave it out, or say operator Equal" $name $number $taint.value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $number, $volume := .volumes -}}
{{- if eq (empty $volume.claim) (empty $volume.config_map) -}}
{{- fail (printf "config.cluster.volumes[%d]: %s is either a claim or a config_map; name one of both" $number $volume.path) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Requests fit their limits, and the pool is declared, for `list WHERE WORK POOLS`. */}}
{{- define "twinstack.checkWork" -}}
{{- $where := index . 0 -}}
{{- $work := index . 1 -}}
{{- $pools := index . 2 -}}
{{- range list "cpu" "memory" -}}
{{- $wanted := get $work . -}}
{{- $most := get $work (printf "%s_limit" .) -}}
{{- if gt (include "twinstack.amount" $wanted | float64) (include "twinstack.amount" $most | float64) -}}
{{- fail (printf "%s.%s: %v is above %s_limit %v; lower it, or raise the limit" $where . $wanted . $most) -}}
{{- end -}}
{{- end -}}
{{- if and $work.pool (not (hasKey $pools $work.pool)) -}}
{{- fail (printf "%s.pool: %s is not among config.cluster.pools; declare it there, or name one of: %s" $where $work.pool (keys $pools | sortAlpha | join ", " | default "none is declared")) -}}
{{- end -}}
{{- end -}}

{{/* Bounds of a predictor that the release stage makes, for `list WHERE WORK MODE`. */}}
{{- define "twinstack.checkReplicas" -}}
{{- $where := index . 0 -}}
{{- $work := index . 1 -}}
{{- if lt (int $work.max_replicas) (int $work.replicas) -}}
{{- fail (printf "%s.max_replicas: %d is less than replicas %d; raise it" $where (int $work.max_replicas) (int $work.replicas)) -}}
{{- end -}}
{{- if not (int $work.replicas) -}}
{{- if ne (dig "scaling" "by" "" $work) "requests" -}}
{{- fail (printf "%s.replicas: 0 needs scaling.by requests, because only the front can wake the first pod; set it, or keep one" $where) -}}
{{- end -}}
{{- if ne (index . 2) "Standard" -}}
{{- fail (printf "%s.replicas: 0 needs deployment_mode Standard; keep one" $where) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The table of a classic twin, for `list WHERE TWIN`. */}}
{{- define "twinstack.check.classic" -}}
{{- $where := printf "%s.table" (index . 0) -}}
{{- $table := (index . 1).table -}}
{{- $column := get $table.columns $table.label -}}
{{- if not $column -}}
{{- fail (printf "%s.label: %s is not among columns; declare it, or name one of: %s" $where $table.label (keys $table.columns | sortAlpha | join ", ")) -}}
{{- end -}}
{{- if $column.optional -}}
{{- fail (printf "%s.columns.%s.optional: every row needs its outcome; leave it out" $where $table.label) -}}
{{- end -}}
{{- if and $column.allowed (not (has $table.positive $column.allowed)) -}}
{{- fail (printf "%s.positive: %s is no value of the label; name one of: %s" $where $table.positive (join ", " $column.allowed)) -}}
{{- end -}}
{{- if and (ne $column.type "text") (not (regexMatch "^\\s*[-+]?([0-9][0-9_]*\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?\\s*$" $table.positive)) -}}
{{- fail (printf "%s.positive: %s is not of type %s; write a number, as the column of the label holds" $where $table.positive $column.type) -}}
{{- end -}}
{{- end -}}

{{/* The chunks of an LLM twin, for `list WHERE TWIN`. */}}
{{- define "twinstack.check.llm" -}}
{{- $most := dig "chunking" "max_tokens" 192 (index . 1) | int -}}
{{- $overlap := dig "chunking" "overlap_tokens" 24 (index . 1) | int -}}
{{- if gt (mul 2 $overlap) $most -}}
{{- fail (printf "%s.chunking.overlap_tokens: %d is more than half of max_tokens %d; lower it" (index . 0) $overlap $most) -}}
{{- end -}}
{{- end -}}
