import { existsSync } from 'node:fs'
import Docker from 'dockerode'
import { execa } from 'execa'
import { dockerSocket } from './servers/docker-script.ts'
import { venv } from './servers/peers.ts'

/** Everybody measures against the same. */
const pinned = {
  gradio: '6.31.0',
  litserve: '0.2.19',
  fastapi: '0.165.0',
  'uvicorn[standard]': '0.54.0',
  cog: '0.23.1',
  coglet: '0.23.1',
}
/** Programs of Debian packages that some parts compare with. */
const programs = { nginx: { path: '/usr/sbin/nginx', package: 'nginx-light' } }

/** Puts the programs to compare with into a virtual environment, and says which Debian packages are missing. */
export async function install(): Promise<void> {
  const packages = Object.entries(pinned).map(([name, version]) => `${name}==${version}`)
  if (!existsSync(venv)) await execa('python3', ['-m', 'venv', venv], { stdio: 'inherit' })
  await execa(`${venv}/bin/pip`, ['install', '--quiet', '--disable-pip-version-check', ...packages], {
    stdio: 'inherit',
  })
  console.log(`${packages.join(', ')} are in ${venv}`)
  const missing = Object.values(programs).filter(({ path }) => !existsSync(path))
  if (missing.length > 0) console.log(`Missing: apt-get install ${missing.map((program) => program.package).join(' ')}`)
}

/** What is installed, as `gradio 6.31.0`. */
export async function versionsOfPeers(): Promise<string[]> {
  const { stdout } = await execa(`${venv}/bin/pip`, ['list', '--format', 'json', '--disable-pip-version-check'])
  const installed = JSON.parse(stdout) as { name: string; version: string }[]
  const names = Object.keys(pinned).map((name) => name.split('[')[0])
  const found = installed.filter(({ name }) => names.includes(name.toLowerCase()))
  const peers = found.map(({ name, version }) => `${name} ${version}`)
  return [...peers, ...(await versionOfNginx()), ...(await versionOfDocker()), `Node ${process.versions.node}`]
}

async function versionOfNginx(): Promise<string[]> {
  if (!existsSync(programs.nginx.path)) return []
  const { stderr } = await execa(programs.nginx.path, ['-v'])
  return [`nginx ${stderr.split('/').at(-1)}`]
}

async function versionOfDocker(): Promise<string[]> {
  return existsSync(dockerSocket) ? [`Docker ${(await new Docker().version()).Version}`] : []
}
