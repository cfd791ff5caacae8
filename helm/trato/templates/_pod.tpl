{{/* What all pods share. */}}

{{/* The Pod Security Standard `restricted`, for a user that is given, or left to the cluster when none is. */}}
{{- define "trato.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- with .user }}
  runAsUser: {{ int64 . }}
  runAsGroup: {{ int64 . }}
  fsGroup: {{ int64 . }}
  {{- end }}
  # Once. At each mount it would open to the group what its owner keeps to himself: backups, and RabbitMQ's cookie, which
  # Erlang then refuses.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "trato.containerSecurity" -}}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* The files of a container that serves or calls: its certificate as a folder, which follows when the Secret is renewed. */}}
{{- define "trato.volumeMounts" -}}
{{- $mounts := .service.volumeMounts -}}
{{- if and .root.Values.tls.enabled (not .migrates) -}}
{{- $mounts = prepend $mounts (dict "name" "tls" "mountPath" "/tls" "readOnly" true) -}}
{{- end -}}
{{- with $mounts }}
volumeMounts: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "trato.volumes" -}}
{{- $volumes := .service.volumes -}}
{{- if and .root.Values.tls.enabled (not .migrates) -}}
{{- $volumes = prepend $volumes (dict "name" "tls" "secret" (dict "secretName" (include "trato.tlsSecret" .) "defaultMode" 0440)) -}}
{{- end -}}
{{- with $volumes }}
volumes: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where pods may run, and what runs before what. */}}
{{- define "trato.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
