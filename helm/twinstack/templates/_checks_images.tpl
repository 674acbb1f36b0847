{{/* In production an image is what it was when it was tested: whatever names one names its digest. */}}
{{- define "twinstack.checkImages" -}}
{{- if eq .Values.config.cluster.environment "prod" -}}
{{- range list "pipeline" "train" "serve" "console" -}}
{{- if not (get $.Values.config.cluster.images.digests .) -}}
{{- fail (printf "config.cluster.images.digests.%s: environment prod needs the digest of every image" .) -}}
{{- end -}}
{{- end -}}
{{- range $kind, $one := .Values.servingRuntimes -}}
{{- if $one.create -}}
{{- include "twinstack.checkDigest" (list (printf "servingRuntimes.%s.image" $kind) $one.image) -}}
{{- end -}}
{{- end -}}
{{- range include "twinstack.twins" . | fromJsonArray -}}
{{- if .predictor.enabled -}}
{{- include "twinstack.checkDigest" (list (printf "twins[%s].predictor.image" .name) .predictor.image) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* An image that is named has a digest, for `list WHERE IMAGE`. */}}
{{- define "twinstack.checkDigest" -}}
{{- $image := index . 1 -}}
{{- if and $image (not (regexMatch "@sha256:[0-9a-f]{64}$" $image)) -}}
{{- fail (printf "%s: environment prod needs the digest of every image; write %s@sha256:… instead of a tag" (index . 0) (regexReplaceAll "(:[^/:@]*)?(@.*)?$" $image "")) -}}
{{- end -}}
{{- end -}}
