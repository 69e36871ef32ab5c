import { delimiter, dirname } from 'node:path'
import type { Environment } from '../../config.ts'

/** Where packages come from, and through what. A password in an index's address is the operator's own choice. */
const allowed = new Set([
  ...['LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'],
  ...['PIP_INDEX_URL', 'PIP_EXTRA_INDEX_URL', 'PIP_NO_INDEX', 'PIP_FIND_LINKS', 'PIP_TRUSTED_HOST', 'PIP_CERT'],
  ...['PIP_PROXY', 'PIP_DEFAULT_TIMEOUT', 'PIP_RETRIES', 'PIP_CONSTRAINT', 'PIP_DISABLE_PIP_VERSION_CHECK'],
  ...['UV_INDEX_URL', 'UV_EXTRA_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX', 'UV_FIND_LINKS', 'UV_NO_INDEX'],
  ...['UV_NATIVE_TLS', 'UV_HTTP_TIMEOUT', 'UV_PYTHON_INSTALL_DIR', 'PYENV_ROOT'],
  ...['NPM_CONFIG_REGISTRY', 'NPM_CONFIG_CAFILE', 'NPM_CONFIG_PROXY', 'NPM_CONFIG_HTTPS_PROXY'],
])

/** The environment of installers, which run code of the packages that a stranger names. It is a list, not a filter. */
export const installerEnvironment = (inherited: Environment, home: string): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(inherited).flatMap(([name, value]) =>
      value !== undefined && allowed.has(name) ? [[name, value]] : [],
    ),
  ),
  HOME: home,
  PATH: [dirname(process.execPath), inherited.PATH].join(delimiter),
})
