{{/* A pod of `helm test` that calls endpoints, for `list $ NAME URL CALLS`. */}}
{{- define "twinstack.testPod" }}
{{- $root := index . 0 }}
---
apiVersion: v1
kind: Pod
metadata:
  name: {{ index . 1 }}
  labels:
    {{- include "twinstack.labels" (list $root "test") | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  restartPolicy: Never
  serviceAccountName: default
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- include "twinstack.pullSecrets" $root | nindent 2 }}
  securityContext:
    {{- include "twinstack.podSecurity" $root.Values.pods.user | nindent 4 }}
  {{- include "twinstack.nodes" $root | nindent 2 }}
  containers:
    - name: test
      image: {{ include "twinstack.image" (list $root "serve") }}
      imagePullPolicy: IfNotPresent
      command: [python, -c]
      args:
        - |
          import json, os, sys, urllib.error, urllib.request
          url, calls = sys.argv[1], json.loads(sys.argv[2])
          key = os.environ.get("API_KEY")
          headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
          for call in calls:
              body = json.dumps(call["body"]).encode() if "body" in call else None
              request = urllib.request.Request(url + call["path"], data=body, headers=headers)
              try:
                  with urllib.request.urlopen(request, timeout=120) as answer:
                      print(answer.status, call["path"], answer.read(2000).decode(errors="replace"))
              except urllib.error.HTTPError as error:
                  sys.exit(f"{request.full_url}: {error}: {error.read(2000).decode(errors='replace')}")
              except OSError as error:
                  sys.exit(f"{request.full_url}: {error}")
        - {{ index . 2 | quote }}
        - {{ index . 3 | toJson | toJson }}
      {{- include "twinstack.env" (list $root "test" (dict)) | nindent 6 }}
      resources:
        requests: {cpu: 50m, memory: 64Mi}
        limits: {cpu: 500m, memory: 256Mi}
      securityContext:
        {{- include "twinstack.containerSecurity" $root.Values.pods.user | nindent 8 }}
{{- end }}
