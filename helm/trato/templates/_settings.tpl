{{/* Settings as the variables that programs read. */}}

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

{{/*
The settings of a program by section and key, as JSON: what follows from the other values, laid over by `settings`. A
migration calls nobody and is called by nobody, and has no certificate that a part of `settings.tls` could go with. By
settings of a database `trato` would take a program for one that has one.
*/}}
{{- define "trato.settings" -}}
{{- $root := .root -}}
{{- $services := include "trato.services" $root | fromJson -}}
{{- $upstreams := dict -}}
{{- range .service.calls -}}
{{- $callee := get $services . | required (printf "services.%s.calls names %s, which is no service" $.name .) -}}
{{- $scheme := $root.Values.tls.enabled | ternary "https" "http" -}}
{{- $address := printf "%s://%s:8080" $scheme (include "trato.name" (dict "root" $root "name" .)) -}}
{{- range $callee.serves -}}{{- $_ := set $upstreams . $address -}}{{- end -}}
{{- end -}}
{{- $own := dict
  "server" (dict "listen" "0.0.0.0:8080" "admin_listen" "0.0.0.0:8081" "drain_seconds" .service.drainSeconds)
  "auth" (dict "issuers" $root.Values.issuers)
-}}
{{- if $upstreams -}}{{- $_ := set $own "upstreams" $upstreams -}}{{- end -}}
{{- if eq .name "gateway" -}}
{{- $_ := set $own "rate" (dict "gateways" (list (include "trato.processes" (dict "root" $root "name" .name)))) -}}
{{- end -}}
{{- if $root.Values.tls.enabled -}}
{{- $_ := set $own "tls" (dict "certificate" "/tls/tls.crt" "key" "/tls/tls.key" "authority" "/tls/ca.crt") -}}
{{- end -}}
{{- $all := mergeOverwrite $own (deepCopy $root.Values.settings) (deepCopy .service.settings) -}}
{{- if .migrates -}}{{- $all = omit $all "tls" "upstreams" "rate" -}}{{- end -}}
{{- if not .service.database -}}{{- $all = omit $all "database" -}}{{- end -}}
{{- toJson $all -}}
{{- end }}

{{/* The same as variables, as JSON: TRATO_<SECTION>__<KEY>, but for the upstreams, whose keys are no names of variables. */}}
{{- define "trato.variables" -}}
{{- $variables := dict -}}
{{- range $section, $keys := include "trato.settings" . | fromJson -}}
{{- if eq $section "upstreams" -}}
{{- $_ := set $variables "TRATO_UPSTREAMS" (include "trato.toml" $keys) -}}
{{- else -}}
{{- range $key, $value := $keys -}}
{{- $_ := set $variables (printf "TRATO_%s__%s" (upper $section) (upper $key)) (kindIs "string" $value | ternary $value (include "trato.toml" $value)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $variables -}}
{{- end }}

{{/* The same as `env` of a container; `env` of the values comes last, and may name what stands before it. */}}
{{- define "trato.env" -}}
{{- range $name, $value := include "trato.variables" . | fromJson }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- if include "trato.settings" . | fromJson | dig "telemetry" "otlp_endpoint" "" }}
{{- include "trato.resource" .service }}
{{- end }}
{{- with .service.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
Where a process runs, for its telemetry. No `service.instance.id`, which a restarted container would share with the one
before. A list of the attributes in `env` takes the place of this one: no variable may be given twice.
*/}}
{{- define "trato.resource" -}}
{{- $attributes := list -}}
{{- range $attribute, $field := dict
  "k8s.namespace.name" "metadata.namespace"
  "k8s.node.name" "spec.nodeName"
  "k8s.pod.name" "metadata.name"
  "k8s.pod.uid" "metadata.uid"
}}
{{- $variable := $attribute | replace "." "_" | upper }}
{{- $attributes = append $attributes (printf "%s=$(%s)" $attribute $variable) }}
- { name: {{ $variable }}, valueFrom: { fieldRef: { fieldPath: {{ $field }} } } }
{{- end }}
{{- $own := false }}
{{- range .env }}{{ if eq .name "OTEL_RESOURCE_ATTRIBUTES" }}{{ $own = true }}{{ end }}{{ end }}
{{- if not $own }}
- { name: OTEL_RESOURCE_ATTRIBUTES, value: {{ join "," $attributes | quote }} }
{{- end }}
{{- end }}

{{/*
The most connections to PostgreSQL that the pods of all services open, during a rollout: of each pod those of calls, those of
jobs, and one of the relay.
*/}}
{{- define "trato.connections" -}}
{{- $sum := 0 -}}
{{- range $name, $service := include "trato.services" . | fromJson -}}
{{- if $service.database -}}
{{- $pods := $service.autoscaling.enabled | ternary $service.autoscaling.maxReplicas $service.replicas | int -}}
{{- $surge := $service.maxSurge | toString -}}
{{- if hasSuffix "%" $surge -}}
{{- $surge = div (add 99 (mul $pods ($surge | trimSuffix "%" | int))) 100 -}}
{{- end -}}
{{- $database := dig "database" dict (include "trato.settings" (dict "root" $ "name" $name "service" $service) | fromJson) -}}
{{- $each := add 1 (dig "max_connections" 16 $database | int) (dig "system_max_connections" 4 $database | int) -}}
{{- $sum = add $sum (mul $each (add $pods (int $surge))) -}}
{{- end -}}
{{- end -}}
{{- $sum -}}
{{- end }}

{{- define "trato.fromSecret" -}}
- name: {{ .variable }}
  valueFrom: { secretKeyRef: { name: {{ .secret }}, key: {{ .key }} } }
{{- end }}
