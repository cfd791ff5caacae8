{{/* Whom a pod may call: nobody but the places that are named. */}}

{{/* An example of each place, for the refusal when it is not named. */}}
{{- define "trato.examples" -}}
postgresql: '[{ to: [{ ipBlock: { cidr: 10.0.0.5/32 } }], ports: [{ port: 5432 }] }]'
rabbitmq: '[{ to: [{ ipBlock: { cidr: 10.0.0.6/32 } }], ports: [{ port: 5672 }] }]'
issuer: '[{ to: [{ ipBlock: { cidr: 203.0.113.7/32 } }], ports: [{ port: 443 }] }]'
collector: '[{ to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: observability } } }], ports: [{ port: 4317 }] }]'
dns: '[{ to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } } }], ports: [{ port: 53, protocol: UDP }] }]'
{{- end }}

{{/* Rules of `egress` for some of these places, out of those that the program has to do with. */}}
{{- define "trato.egress" -}}
{{- $root := .root -}}
{{- $service := .service -}}
{{- $inside := dict -}}
{{- if $root.Values.trial.enabled -}}
{{- $inside = dict "postgresql" (dict "port" 5432 "here" (not $service.databaseSecret)) "rabbitmq" (dict "port" 5672 "here" (not (or $service.brokerSecret $root.Values.brokerSecret))) -}}
{{- end -}}
{{- $settings := include "trato.settings" . | fromJson -}}
{{- range $place := .places }}
{{- $server := get $inside $place | default dict }}
{{- if $server.here }}
- ports: [{ port: {{ $server.port }} }]
  to:
    - podSelector:
        matchLabels: {{- include "trato.selector" (dict "root" $root "name" $place) | nindent 10 }}
{{- else if and (eq $place "collector") (not (dig "telemetry" "otlp_endpoint" "" $settings)) }}
{{- else }}
{{- $rules := get $service.networkPolicy $place | default (get $root.Values.networkPolicy $place) }}
{{- if not $rules }}
{{- fail (printf "networkPolicy.%s must say where it is, such as %s; or set networkPolicy.enabled to false" $place (get (include "trato.examples" $root | fromYaml) $place)) }}
{{- end }}
{{ toYaml $rules }}
{{- end }}
{{- end }}
{{- end }}

{{/* The pods of programs with these names, as peers of a rule. */}}
{{- define "trato.peers" -}}
- podSelector:
    matchExpressions:
      - { key: app.kubernetes.io/instance, operator: In, values: [{{ .root.Release.Name }}] }
      - { key: app.kubernetes.io/name, operator: In, values: [{{ join ", " .names }}] }
{{- end }}
