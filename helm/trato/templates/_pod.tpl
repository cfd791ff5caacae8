{{/* What all pods of programs share. */}}

{{/* A value as TOML, the form in which variables hold lists and tables. */}}
{{- define "trato.toml" -}}
{{- if kindIs "map" . -}}
{ {{- range $index, $key := keys . | sortAlpha -}}
{{- if $index }},{{ end }} {{ $key | quote }} = {{ include "trato.toml" (get $ $key) }}
{{- end }} }
{{- else if kindIs "slice" . -}}
[{{- range $index, $item := . -}}{{- if $index }}, {{ end }}{{ include "trato.toml" $item }}{{- end -}}]
{{- else -}}
{{ toJson . }}
{{- end -}}
{{- end }}

{{/* Settings as variables: TRATO_<SECTION>__<KEY>. */}}
{{- define "trato.settings" -}}
{{- range $section, $keys := . }}
{{- range $key, $value := $keys }}
- name: TRATO_{{ upper $section }}__{{ upper $key }}
  value: {{ kindIs "string" $value | ternary $value (include "trato.toml" $value) | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Every variable of a program but the database's. */}}
{{- define "trato.env" -}}
{{- $root := .root -}}
{{- $services := include "trato.services" $root | fromJson -}}
{{- $upstreams := dict -}}
{{- range .service.calls -}}
{{- $callee := get $services . | required (printf "services.%s.calls names %s, which is no service" $.name .) -}}
{{- $address := printf "http://%s:8080" (include "trato.name" (dict "root" $root "name" .)) -}}
{{- range $callee.serves -}}{{- $_ := set $upstreams . $address -}}{{- end -}}
{{- end -}}
{{- $own := dict
  "server" (dict "listen" "0.0.0.0:8080" "admin_listen" "0.0.0.0:8081" "drain_seconds" .service.drainSeconds)
  "auth" (dict "issuers" $root.Values.issuers)
-}}
{{- if $upstreams -}}{{- $_ := set $own "upstreams" $upstreams -}}{{- end -}}
{{- $settings := mergeOverwrite $own (deepCopy $root.Values.settings) (deepCopy .service.settings) -}}
{{- $upstreams = $settings.upstreams -}}
{{- include "trato.settings" (omit $settings "upstreams") -}}
{{- with $upstreams }}
- name: TRATO_UPSTREAMS
  value: {{ include "trato.toml" . | quote }}
{{- end }}
{{- with .service.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "trato.fromSecret" -}}
- name: {{ .variable }}
  valueFrom: { secretKeyRef: { name: {{ .secret }}, key: {{ .key }} } }
{{- end }}

{{- define "trato.podSecurity" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "trato.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}
