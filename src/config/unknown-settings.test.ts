import { describe, expect, it } from 'vitest';
import { settingWarnings } from './config.ts';

describe('an unknown variable', () => {
  it.each([
    ['FLIGHT_FAILURE_RTE', 'FLIGHT_FAILURE_RATE'],
    ['FLIGHT_FAILRUE_RATE', 'FLIGHT_FAILURE_RATE'],
    ['FLIGHT_RATE', 'FLIGHT_FAILURE_RATE'],
    ['RATE_LIMIT_PURCHASE', 'RATE_LIMIT_PURCHASES'],
    ['RATE_LIMIT_FOO', 'RATE_LIMIT'],
    ['RATELIMIT', 'RATE_LIMIT'],
    ['SUPPLIER_URL', 'SUPPLIERS_URL'],
    ['SUPPLIERS_TIMEOUT_MS', 'SUPPLIER_TIMEOUT_MS'],
    ['LEASE_TTL', 'LEASE_TTL_MS'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['log_level', 'LOG_LEVEL'],
    ['Log-Level', 'LOG_LEVEL'],
    ['port', 'PORT'],
    ['SECERT', 'SECRET'],
    ['ADMIN_TOKKEN', 'ADMIN_TOKEN'],
    ['ADMIN_TOKNES', 'ADMIN_TOKENS'],
    ['PUBLIC_ORGIN', 'PUBLIC_ORIGIN'],
  ])('that resembles a setting causes a warning with the closest name: %s', (name, meant) => {
    expect(settingWarnings({ [name]: 'hunter2' })).toEqual([
      `${name} is not a setting: did you mean ${meant}?`,
    ]);
  });

  it('causes no warning if it is empty', () => {
    expect(settingWarnings({ RATE_LIMIT_FOO: '', FLIGHT_FAILURE_RTE: ' ' })).toEqual([]);
  });

  it('causes no warning if it belongs to the shell, npm, Docker, Kubernetes, CI or another program', () => {
    const names = `
      _ CI COLORTERM COLUMNS DEBIAN_FRONTEND DISPLAY EDITOR EUID GID GROUP HOME HOSTNAME HOSTS HOSTTYPE INIT_CWD LANG
      LANGUAGE LC_ALL LESS LINES LOGNAME LS_COLORS MACHTYPE MAIL MANPATH OLDPWD OSTYPE PAGER PATH POST PORTS PPID PS1
      PWD SHELL SHLVL SORT TERM TERM_PROGRAM TMPDIR TZ UID USER VISUAL XDG_CACHE_HOME XDG_RUNTIME_DIR
      COLOR NODE NODE_ENV NODE_EXTRA_CA_CERTS NODE_OPTIONS NODE_VERSION NVM_DIR YARN_VERSION npm_command
      npm_config_cache npm_config_global_prefix npm_config_loglevel npm_config_noproxy npm_config_registry
      npm_config_user_agent npm_execpath npm_lifecycle_event npm_lifecycle_script npm_node_execpath npm_package_json
      npm_package_name npm_package_version npm_package_engines_node
      http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY SSH_AUTH_SOCK SSH_CONNECTION
      COMPOSE_FILE COMPOSE_PROJECT_NAME DOCKER_HOST DOCKER_BUILDKIT DOCKER_CONFIG container PUBLISH
      KUBERNETES_PORT KUBERNETES_PORT_443_TCP KUBERNETES_PORT_443_TCP_ADDR KUBERNETES_SERVICE_HOST
      KUBERNETES_SERVICE_PORT KUBERNETES_SERVICE_PORT_HTTPS REDIS_SERVICE_HOST REDIS_SERVICE_PORT REDIS_PORT_6379_TCP
      MONGO_PORT_27017_TCP_PORT SUPPLIERS_SERVICE_HOST SUPPLIERS_SERVICE_PORT SUPPLIERS_PORT_8890_TCP_PROTO
      REDIS_HOST REDIS_PORT REDIS_PASSWORD DATABASE_HOST DATABASE_NAME DATABASE_PASSWORD MONGO_URL MONGODB_URI
      SECRET_KEY SECRET_KEY_BASE ADMIN_EMAIL ADMIN_PASSWORD LOG_FORMAT LOG_FILE INSTANCE_TYPE
      GITHUB_TOKEN GITHUB_REF GITHUB_ACTIONS GITLAB_CI INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET
      AWS_REGION AWS_ACCESS_KEY_ID GOOGLE_APPLICATION_CREDENTIALS
      OTEL_SERVICE_NAME OTEL_RESOURCE_ATTRIBUTES OTEL_EXPORTER_OTLP_HEADERS OTEL_EXPORTER_OTLP_TIMEOUT
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT OTEL_EXPORTER_OTLP_LOGS_ENDPOINT OTEL_METRICS_EXPORTER OTEL_LOGS_EXPORTER
      OTEL_TRACES_SAMPLER OTEL_TRACES_SAMPLER_ARG OTEL_PROPAGATORS OTEL_BSP_SCHEDULE_DELAY
      CHROMIUM_PATH MONGOD_PATH REDIS_SERVER_PATH DOCKER_COMPOSE_PATH PROMTOOL_PATH OTELCOL_PATH VITEST VITEST_POOL_ID TEST MODE PROD DEV SSR
    `.trim();
    const environment = Object.fromEntries(names.split(/\s+/).map((name) => [name, 'x']));
    expect(settingWarnings({ ...environment, SUPPLIERS_PORT: 'tcp://10.0.0.7:8890' })).toEqual([]);
  });

  it('is not reported if it is the exact name of a setting', () => {
    expect(settingWarnings({ PORT: '1', RATE_LIMIT: 'off', OTEL_TRACES_EXPORTER: 'none' })).toEqual([]);
  });
});
