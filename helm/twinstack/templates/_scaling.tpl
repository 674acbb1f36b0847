{{/* Fields by which Knative scales an InferenceService, for `list KNATIVE SCALING`. */}}
{{- define "twinstack.scale" -}}
{{- $scaling := index . 1 -}}
{{- if and (index . 0) (eq $scaling.by "requests") }}
scaleMetric: concurrency
scaleTarget: {{ int $scaling.requestsPerReplica }}
{{- else if and (index . 0) (eq $scaling.by "cpu") }}
scaleMetric: cpu
scaleTarget: {{ int $scaling.cpuPercent }}
{{- end }}
{{- end -}}

{{/* Who scales in mode Knative. Its own autoscaler knows requests only, and KServe refuses `scaleMetric: cpu` without
this class, which waits by itself before pods go. */}}
{{- define "twinstack.knativeScaling" -}}
{{- if eq .by "cpu" -}}
autoscaling.knative.dev/class: hpa.autoscaling.knative.dev
{{- else -}}
autoscaling.knative.dev/scale-down-delay: {{ int .scaleDownSeconds }}s
{{- end -}}
{{- end -}}

{{/* Who scales in mode Standard: the chart's own objects, because KServe's HorizontalPodAutoscaler drops `behavior`. */}}
{{- define "twinstack.autoscaler" -}}
serving.kserve.io/autoscalerClass: {{ ternary "none" "external" (eq .by "none") }}
{{- end -}}

{{/* Pods go slowly: after a time of less load, at most a quarter, or one, a minute. */}}
{{- define "twinstack.scaleDown" -}}
scaleDown:
  stabilizationWindowSeconds: {{ int .scaleDownSeconds }}
  selectPolicy: Max
  policies:
    - {type: Percent, value: 25, periodSeconds: 60}
    - {type: Pods, value: 1, periodSeconds: 60}
{{- end -}}

{{/* A Prometheus trigger of KEDA, for `list $ NAME QUERY THRESHOLD`. */}}
{{- define "twinstack.trigger" -}}
{{- $prometheus := (index . 0).Values.config.cluster.prometheus -}}
- type: prometheus
  name: {{ index . 1 }}
  metricType: AverageValue
  metadata:
    serverAddress: {{ $prometheus.address | quote }}
    query: {{ index . 2 | quote }}
    threshold: {{ index . 3 | quote }}
    activationThreshold: "0"
  {{- with $prometheus.authentication }}
  authenticationRef: {name: {{ . | quote }}}
  {{- end }}
{{- end -}}

{{/* Requests that the front of an InferenceService has in hand, for `list $ NAME`. */}}
{{- define "twinstack.inFlight" -}}
{{- printf "sum(twinstack_requests_in_flight{namespace=%q,pod=~%q,route!~%q})" (index . 0).Release.Namespace (printf "%s-predictor-.+" (index . 1)) "health|metrics" -}}
{{- end -}}

{{/* 1 where the front of an InferenceService was asked of late, for `list $ NAME`; a counter's first value counts,
which `increase` does not see. */}}
{{- define "twinstack.asked" -}}
{{- $total := printf "twinstack_request_total{namespace=%q,pod=~%q,route!~%q}" (index . 0).Release.Namespace (printf "%s-predictor-.+" (index . 1)) "health|metrics|models|other" -}}
{{- printf "sum(increase(%[1]s[2m]) > 0 or (%[1]s > 0 unless %[1]s offset 2m)) > bool 0" $total -}}
{{- end -}}

{{/* Requests that wait in the front of an InferenceService, for `list $ NAME`. */}}
{{- define "twinstack.waiting" -}}
{{- printf "sum(twinstack_queue_depth{namespace=%q,pod=~%q})" (index . 0).Release.Namespace (printf "%s-predictor-.+" (index . 1)) -}}
{{- end -}}
