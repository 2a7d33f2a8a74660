{{- define "ambassador.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- /* The first part of every name: the release's, with the chart's where the release does not hold it. */ -}}
{{- define "ambassador.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "ambassador.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ambassador.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ambassador.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "ambassador.labels" -}}
{{ include "ambassador.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: ambassador-operator
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* labels and annotations of an object's metadata. Call: include "ambassador.metadata" (list . {own annotations}) */ -}}
{{- define "ambassador.metadata" -}}
{{- $top := index . 0 -}}
{{- $own := index . 1 -}}
labels:
  {{- include "ambassador.labels" $top | nindent 2 }}
{{- with merge (dict) $own $top.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "ambassador.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "ambassador.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: must name an existing service account where serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* registry/repository@digest, else registry/repository:tag. Call: include "ambassador.image" (list . imageValues) */ -}}
{{- define "ambassador.image" -}}
{{- $top := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := $image.registry | default $top.Values.global.imageRegistry -}}
{{- if $registry }}{{ $registry }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest -}}@{{ $image.digest }}{{- else -}}:{{ $image.tag | default $top.Chart.AppVersion }}{{- end -}}
{{- end -}}

{{- define "ambassador.webhookPort" -}}
{{- if and .Values.hostNetwork (eq (int .Values.webhook.port) 10250) -}}10260{{- else -}}{{ int .Values.webhook.port }}{{- end -}}
{{- end -}}

{{- /* The Secret that holds the CA and the serving certificate. */ -}}
{{- define "ambassador.certificateSecret" -}}
{{- include "ambassador.fullname" . }}-certificate
{{- end -}}

{{- /* Whom the webhooks are asked about: never kube-system, never our own namespace. */ -}}
{{- define "ambassador.webhookNamespaces" -}}
matchExpressions:
- key: kubernetes.io/metadata.name
  operator: NotIn
  values:
  {{- range concat (list "kube-system" .Release.Namespace) .Values.webhook.excludedNamespaces | uniq }}
  - {{ . | quote }}
  {{- end }}
{{- with .Values.watchNamespaces }}
- key: kubernetes.io/metadata.name
  operator: In
  values:
  {{- range . }}
  - {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* "yes" where an object of the Prometheus operator's group may be rendered. Call: (list . "ServiceMonitor" values) */ -}}
{{- define "ambassador.renderMonitoring" -}}
{{- $top := index . 0 -}}
{{- $kind := index . 1 -}}
{{- $values := index . 2 -}}
{{- if $values.enabled -}}
{{- if or (eq $values.renderMode "always") ($top.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" $kind)) -}}yes{{- end -}}
{{- end -}}
{{- end -}}
