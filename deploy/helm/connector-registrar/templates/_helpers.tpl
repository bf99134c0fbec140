{{/* Names and parts that several templates share. */}}

{{- define "registrar.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "registrar.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "registrar.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "registrar.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Of all objects; call with (dict "root" $ "component" "worker"). */}}
{{- define "registrar.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{ include "registrar.selector" . }}
{{- end -}}

{{- define "registrar.selector" -}}
app.kubernetes.io/name: {{ include "registrar.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "registrar.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "registrar.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "registrar.image" -}}
{{- $tag := default .root.Chart.AppVersion .image.tag -}}
{{- if .image.digest -}}{{ .image.repository }}@{{ .image.digest }}{{- else -}}{{ .image.repository }}:{{ $tag }}{{- end -}}
{{- end -}}

{{/* The ConfigMap with tenants.json; empty: ALLOWED_TENANTS or AZURE_TENANT_ID says who is served. */}}
{{- define "registrar.tenantsConfigMap" -}}
{{- if .Values.tenants.existingConfigMap -}}
{{- .Values.tenants.existingConfigMap -}}
{{- else if .Values.tenants.list -}}
{{- include "registrar.fullname" . }}-tenants
{{- end -}}
{{- end -}}

{{- define "registrar.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "registrar.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Settings as environment variables: plain ones by the ConfigMap, secrets by the path of their file. */}}
{{- define "registrar.env" -}}
{{- range $name, $ref := .Values.secrets }}
- name: {{ $name }}_FILE
  value: /secrets/{{ $name | lower | replace "_" "-" }}/{{ $ref.key }}
{{- end }}
{{- range $name, $ref := .Values.secretFiles }}
- name: {{ $name }}
  value: /secrets/{{ $name | lower | replace "_" "-" }}/{{ $ref.key }}
{{- end }}
{{- if include "registrar.tenantsConfigMap" . }}
- name: TENANTS_FILE
  value: /tenants/tenants.json
{{- end }}
{{- if .Values.emulator.enabled }}
- name: AZURE_AUTHORITY_HOST
  value: https://{{ include "registrar.fullname" . }}-emulator:8443
- name: GRAPH_BASE_URL
  value: https://{{ include "registrar.fullname" . }}-emulator:8443
- name: GRAPH_CA_FILE
  value: /emulator-ca/ca.pem
- name: AZURE_CLIENT_SECRET
  value: emulator-only
{{- end }}
{{- end -}}

{{- define "registrar.volumeMounts" -}}
- { name: data, mountPath: /data }
{{- range $name, $ref := merge dict .Values.secrets .Values.secretFiles }}
- { name: {{ $name | lower | replace "_" "-" | trunc 63 }}, mountPath: /secrets/{{ $name | lower | replace "_" "-" }}, readOnly: true }
{{- end }}
{{- if include "registrar.tenantsConfigMap" . }}
- { name: tenants, mountPath: /tenants, readOnly: true }
{{- end }}
{{- if .Values.emulator.enabled }}
- { name: emulator-ca, mountPath: /emulator-ca, readOnly: true }
{{- end }}
{{- end -}}

{{- define "registrar.volumes" -}}
{{/* Only snapshots, which make a restart quick. */}}
- { name: data, emptyDir: {} }
{{ include "registrar.volumesBesideData" . }}
{{- end -}}

{{- define "registrar.volumesBesideData" -}}
{{- range $name, $ref := merge dict .Values.secrets .Values.secretFiles }}
- name: {{ $name | lower | replace "_" "-" | trunc 63 }}
  secret:
    secretName: {{ $ref.secretName }}
    defaultMode: 0440
    items: [{ key: {{ $ref.key | quote }}, path: {{ $ref.key | quote }} }]
{{- end }}
{{- with include "registrar.tenantsConfigMap" . }}
- { name: tenants, configMap: { name: {{ . }} } }
{{- end }}
{{- if .Values.emulator.enabled }}
- { name: emulator-ca, secret: { secretName: {{ include "registrar.fullname" . }}-emulator-ca, items: [{ key: ca.pem, path: ca.pem }] } }
{{- end }}
{{- end -}}
