{{/* Prefix of object names, at most 24 characters: KServe adds to them. A long one ends in a digest, so that the
objects of two releases never meet. */}}
{{- define "twinstack.fullname" -}}
{{- $chart := default .Chart.Name .Values.nameOverride -}}
{{- $given := ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) -}}
{{- $name := default $given .Values.fullnameOverride -}}
{{- if or (gt (len $name) 24) (contains "." $name) -}}
{{- printf "%s-%s" (replace "." "-" $name | trunc 15 | trimSuffix "-") (sha256sum $name | trunc 8) -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{/* Name of an InferenceService, at most 42 characters, for `list $ SUFFIX`: KServe and Knative add "-predictor" and a
revision, or KServe "-kserve-keda" and KEDA "keda-hpa-", and 63 is the limit. A long one ends in a digest, so that two
never meet. */}}
{{- define "twinstack.serviceName" -}}
{{- $name := printf "%s-%s" (include "twinstack.fullname" (index . 0)) (index . 1) -}}
{{- if gt (len $name) 42 -}}
{{- printf "%s-%s" (trunc 33 $name | trimSuffix "-") (sha256sum $name | trunc 8) -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{/* Labels of every object, for `list $ COMPONENT`, or `list $ COMPONENT LABELS` with further ones. Through `toYaml`,
because names such as `on` and `1e5` are no strings without quotes. */}}
{{- define "twinstack.labels" -}}
{{- $root := index . 0 -}}
{{- $further := dict -}}
{{- if gt (len .) 2 -}}
{{- $further = index . 2 -}}
{{- end -}}
{{- $chart := printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- $own := dict "helm.sh/chart" $chart "app.kubernetes.io/version" $root.Chart.AppVersion "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- toYaml (merge $own $further (include "twinstack.podLabels" . | fromYaml)) -}}
{{- end -}}

{{/* Labels of every pod, for `list $ COMPONENT`. */}}
{{- define "twinstack.podLabels" -}}
{{- $own := dict "app.kubernetes.io/part-of" "twinstack" -}}
{{- toYaml (merge $own (include "twinstack.selector" . | fromYaml) (index . 0).Values.commonLabels) -}}
{{- end -}}

{{/* What selects the pods of a component of this release, for `list $ COMPONENT`. */}}
{{- define "twinstack.selector" -}}
{{- $root := index . 0 -}}
{{- $name := default $root.Chart.Name $root.Values.nameOverride -}}
{{- toYaml (dict "app.kubernetes.io/name" $name "app.kubernetes.io/instance" $root.Release.Name "twinstack.io/component" (index . 1)) -}}
{{- end -}}

{{/* Annotations of the pods of a component, for `list $ COMPONENT`; a changed configuration starts new ones, and so
does a change of what External Secrets brings them. What a Secret holds, Helm does not see. */}}
{{- define "twinstack.podAnnotations" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $own := dict "checksum/config" (include "twinstack.configData" $root | sha256sum) -}}
{{- $brought := dict -}}
{{- range $root.Values.secrets -}}
{{- if and .external (has $component .for) -}}
{{- $_ := set $brought .name .external -}}
{{- end -}}
{{- end -}}
{{- if $brought -}}
{{- $_ := set $own "checksum/external-secrets" (toJson $brought | sha256sum) -}}
{{- end -}}
{{- toYaml (merge $own $root.Values.pods.annotations) -}}
{{- end -}}

{{/* An image by digest where there is one, else by tag, for `list $ NAME`. */}}
{{- define "twinstack.image" -}}
{{- $root := index . 0 -}}
{{- $images := $root.Values.config.cluster.images -}}
{{- $place := printf "%stwinstack/%s-python" (ternary (printf "%s/" $images.registry) "" (ne $images.registry "")) (index . 1) -}}
{{- $digest := get $images.digests (index . 1) -}}
{{- if $digest -}}
{{- printf "%s@%s" $place $digest -}}
{{- else -}}
{{- printf "%s:%s" $place (default $root.Chart.AppVersion $images.tag) -}}
{{- end -}}
{{- end -}}

{{/* A mapping over another, as JSON, for `list UNDER OVER`; unlike `mergeOverwrite` it keeps false, 0 and "". */}}
{{- define "twinstack.merged" -}}
{{- $under := index . 0 -}}
{{- $out := deepCopy $under -}}
{{- range $key, $value := index . 1 -}}
{{- if and (kindIs "map" $value) (kindIs "map" (get $under $key)) -}}
{{- $_ := set $out $key (include "twinstack.merged" (list (get $under $key) $value) | fromJson) -}}
{{- else -}}
{{- $_ := set $out $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{/* Every deployed twin with its defaults, as a JSON list; contradictions end the rendering. */}}
{{- define "twinstack.twins" -}}
{{- $found := list -}}
{{- $standard := eq .Values.config.cluster.deployment_mode "Standard" -}}
{{- range $entry := .Values.twins -}}
{{- $twin := include "twinstack.merged" (list $.Values.twinDefaults $entry) | fromJson -}}
{{- range $part := list $twin.front $twin.predictor -}}
{{- if not $part.scaling.by -}}
{{- $_ := set $part.scaling "by" (ternary "cpu" "requests" (and (eq $twin.kind "classic") $standard)) -}}
{{- end -}}
{{- end -}}
{{- include "twinstack.checkTwin" (list $ $twin) -}}
{{- $found = append $found $twin -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* Whether there is anything to configure. */}}
{{- define "twinstack.configured" -}}
{{- if .Values.config.twins -}}true{{- end -}}
{{- end -}}
