{{/* What things are called, and how they are found. */}}

{{- define "trato.name" -}}
{{- printf "%s-%s" (.root.Values.fullnameOverride | default .root.Release.Name) .name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* Name that stands for the pods of a service themselves where its own has an address. */}}
{{- define "trato.processes" -}}
{{- include "trato.name" (dict "root" .root "name" (printf "%s-processes" .name)) -}}
{{- end }}

{{- define "trato.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "trato.labels" -}}
{{ include "trato.selector" . }}
app.kubernetes.io/part-of: trato
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* `annotations` of a resource or a pod: its own, and those of all. */}}
{{- define "trato.annotations" -}}
{{- with merge (dict) (.own | default dict) (.root.Values.commonAnnotations | default dict) -}}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Every service with the defaults laid under it, by name, as JSON. */}}
{{- define "trato.services" -}}
{{- $services := dict -}}
{{- range $name, $service := .Values.services -}}
{{- $_ := set $services $name (mergeOverwrite (deepCopy $.Values.defaults) $service) -}}
{{- end -}}
{{- toJson $services -}}
{{- end }}

{{- define "trato.image" -}}
{{- $image := .root.Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{ $image.prefix }}/{{ .name }}
{{- with .service.digest }}@{{ . }}{{ else }}:{{ .service.tag | default $image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{/* An image that others make, from the registry that has copies of them, where there is one. */}}
{{- define "trato.othersImage" -}}
{{- if .root.Values.image.mirror -}}
{{ .root.Values.image.mirror }}/{{ regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" .image "" }}
{{- else -}}
{{ .image }}
{{- end -}}
{{- end }}

{{- define "trato.databaseSecret" -}}
{{- if .service.databaseSecret -}}
{{ .service.databaseSecret }}
{{- else if .root.Values.trial.enabled -}}
{{ include "trato.name" . }}-database
{{- else -}}
{{ fail (printf "services.%s.databaseSecret must name a Secret with the keys url, system-url and owner-url" .name) }}
{{- end -}}
{{- end }}

{{- define "trato.tlsSecret" -}}
{{- if .service.tlsSecret -}}
{{ .service.tlsSecret }}
{{- else if .root.Values.tls.issuer.name -}}
{{ include "trato.name" . }}-tls
{{- else -}}
{{ fail (printf "services.%s.tlsSecret must name a Secret with the keys tls.crt, tls.key and ca.crt, or tls.issuer an issuer of cert-manager" .name) }}
{{- end -}}
{{- end }}

{{- define "trato.backupClaim" -}}
{{- .Values.backup.claim | default (include "trato.name" (dict "root" . "name" "backups")) -}}
{{- end }}

{{/* That of a service, where it has its own, or that of all. */}}
{{- define "trato.brokerSecret" -}}
{{- $own := dig "brokerSecret" "" (.service | default dict) -}}
{{- if $own | default .root.Values.brokerSecret -}}
{{ $own | default .root.Values.brokerSecret }}
{{- else if .root.Values.trial.enabled -}}
{{ include "trato.name" (dict "root" .root "name" "broker") }}
{{- else -}}
{{ fail "brokerSecret must name a Secret with the key url" }}
{{- end -}}
{{- end }}
