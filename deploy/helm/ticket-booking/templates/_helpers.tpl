{{/* The name of all objects. Leaves room for what the names of pods add. */}}
{{- define "ticket-booking.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "ticket-booking.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ticket-booking.labels" -}}
{{ include "ticket-booking.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "ticket-booking.engine" -}}
{{- .Values.settings.ENGINE | default "actor" -}}
{{- end }}

{{/* The settings of the ConfigMap. */}}
{{- define "ticket-booking.settings" -}}
{{- $settings := deepCopy .Values.settings -}}
{{- if and .Values.ingress.enabled (not (hasKey $settings "PUBLIC_ORIGIN")) -}}
{{- $scheme := ternary "https" "http" .Values.ingress.tls.enabled -}}
{{- $_ := set $settings "PUBLIC_ORIGIN" (printf "%s://%s" $scheme .Values.ingress.host) -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end }}

{{/* The secret settings of an instance, and those of the consumer. */}}
{{- define "ticket-booking.serverSecrets" -}}
DATABASE_URL REDIS_URL REDLOCK_URLS SECRET ADMIN_TOKEN ADMIN_TOKENS SUPPLIERS_TOKEN PAYMENTS_TOKEN PAYMENTS_WEBHOOK_SECRET SMTP_URL WEBHOOK_URL WEBHOOK_SECRET OTEL_EXPORTER_OTLP_HEADERS
{{- end }}
{{- define "ticket-booking.consumerSecrets" -}}
DATABASE_URL REDIS_URL SUPPLIERS_TOKEN
{{- end }}

{{/* The Secret that has the settings. Empty if there is none. */}}
{{- define "ticket-booking.secretName" -}}
{{- if .Values.secrets.externalSecret.enabled -}}
{{- include "ticket-booking.fullname" . -}}
{{- else -}}
{{- .Values.secrets.existingSecret -}}
{{- end -}}
{{- end }}

{{/*
The environment of a container. Takes the root and the names of the secret settings. A pod without DATABASE_URL or
REDIS_URL does not start: the image's default would be a store that no other instance shares.
*/}}
{{- define "ticket-booking.env" -}}
{{- $root := index . 0 -}}
{{- $secret := include "ticket-booking.secretName" $root -}}
- name: INSTANCE_ID
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- range $name := splitList " " (index . 1) }}
{{- with get $root.Values.secrets.from $name }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .key }}
{{- else }}
{{- if $secret }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ $name }}
      {{- if not (has $name (list "DATABASE_URL" "REDIS_URL")) }}
      optional: true
      {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with $root.Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What the pods of the instances and of the consumer have in common. */}}
{{- define "ticket-booking.pod" -}}
automountServiceAccountToken: false
# Variables such as REDIS_PORT for each Service of the namespace are of no use.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What their containers have in common. The program writes no file, so there is no volume. */}}
{{- define "ticket-booking.container" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
envFrom:
  - configMapRef:
      name: {{ include "ticket-booking.fullname" . }}
{{- with .Values.extraVolumeMounts }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
A pod is ready from the time when it can first take orders until it stops. It stays ready while Redis or MongoDB is away
for all: its own answers (look-ups, 503 with Retry-After) are better than those of a Service without pods. One that
waits for MongoDB at its start lives, so it has an hour.
*/}}
{{- define "ticket-booking.probes" -}}
startupProbe:
  httpGet: { path: /readyz, port: http }
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 1800
livenessProbe:
  httpGet: { path: /healthz, port: http }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /healthz, port: http }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{/* Who may reach the pods. */}}
{{- define "ticket-booking.ingress" -}}
- ports:
    - protocol: TCP
      port: http
  {{- with .Values.networkPolicy.from }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* What the pods may reach. */}}
{{- define "ticket-booking.egress" -}}
{{- with .Values.networkPolicy.egress -}}
- ports:
    - protocol: UDP
      port: 53
    - protocol: TCP
      port: 53
{{ toYaml . }}
{{- else -}}
- {}
{{- end }}
{{- end }}

{{/* Fails with everything that is missing or contradicts itself. */}}
{{- define "ticket-booking.validate" -}}
{{- $values := .Values -}}
{{- $problems := list -}}
{{- if not $values.image.repository -}}
{{- $problems = append $problems "image.repository is missing: the image that you built from the Dockerfile and pushed." -}}
{{- end -}}
{{- if and $values.secrets.existingSecret $values.secrets.externalSecret.enabled -}}
{{- $problems = append $problems "secrets.existingSecret and secrets.externalSecret.enabled exclude each other." -}}
{{- end -}}
{{- if $values.secrets.externalSecret.enabled -}}
{{- if not (and $values.secrets.externalSecret.store.name $values.secrets.externalSecret.key) -}}
{{- $problems = append $problems "secrets.externalSecret needs store.name and key: the secret in the store that has DATABASE_URL and REDIS_URL." -}}
{{- end -}}
{{- else if not $values.secrets.existingSecret -}}
{{- range $name := list "DATABASE_URL" "REDIS_URL" -}}
{{- if not (hasKey $values.secrets.from $name) -}}
{{- $problems = append $problems (printf "%s is missing: several instances need MongoDB and Redis. Name a Secret with it in secrets.existingSecret or secrets.from.%s, or use secrets.externalSecret." $name $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $values.ingress.enabled -}}
{{- if not $values.ingress.host -}}
{{- $problems = append $problems "ingress.host is missing: the host that customers see." -}}
{{- end -}}
{{- if not $values.settings.TRUST_PROXY -}}
{{- $problems = append $problems "settings.TRUST_PROXY is missing: behind an Ingress all customers would count as one client. Set it to the ranges of the controller's pods, or to \"on\" if networkPolicy.from allows only the controller." -}}
{{- end -}}
{{- end -}}
{{- if lt (int $values.terminationGracePeriodSeconds) (add (int $values.preStopSeconds) 15 | int) -}}
{{- $problems = append $problems "terminationGracePeriodSeconds is too short: draining takes preStopSeconds and up to 15 s." -}}
{{- end -}}
{{- if $values.autoscaling.enabled -}}
{{- if gt (int $values.autoscaling.minReplicas) (int $values.autoscaling.maxReplicas) -}}
{{- $problems = append $problems "autoscaling.minReplicas is more than autoscaling.maxReplicas." -}}
{{- end -}}
{{- $hasMailboxes := and $values.autoscaling.mailboxMessages (eq (include "ticket-booking.engine" .) "actor") -}}
{{- if not (or $hasMailboxes $values.autoscaling.cpuUtilization) -}}
{{- $problems = append $problems "autoscaling has no metric: set autoscaling.cpuUtilization, or with ENGINE=actor autoscaling.mailboxMessages." -}}
{{- end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "these values are not complete:\n- %s" (join "\n- " $problems)) -}}
{{- end -}}
{{- end }}
