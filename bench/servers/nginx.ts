import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../tests/free-port.ts'
import { Server } from './server.ts'

const nginx = '/usr/sbin/nginx'
export const hasNginx = (): boolean => existsSync(nginx)

/** Nginx that stores what is PUT in a folder of `folder`, and gives it back. */
export async function startNginx(folder: string): Promise<Server> {
  for (const name of ['files', 'temporary']) await mkdir(join(folder, name), { recursive: true, mode: 0o777 })
  return start(folder, 'store', [
    `client_body_temp_path ${folder}/temporary; root ${folder}/files;`,
    'location / { dav_methods PUT; create_full_put_path on; }',
  ])
}

/** Nginx in front of another server, which holds back neither what it sends on nor what comes back. */
export async function startNginxBefore(behind: string, folder: string): Promise<Server> {
  await mkdir(folder, { recursive: true })
  const unheld = 'proxy_http_version 1.1; proxy_request_buffering off; proxy_buffering off'
  const address = 'proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr'
  return start(folder, 'front', [`location / { proxy_pass ${behind}; ${unheld}; ${address}; }`])
}

async function start(folder: string, name: string, server: readonly string[]): Promise<Server> {
  const [port, file] = [await freePort(), join(folder, `${name}.conf`)]
  const config = `daemon off; worker_processes 1; user root; pid ${folder}/${name}.pid; error_log stderr;
events {}
http {
  access_log off; client_max_body_size 0;
  server { listen 127.0.0.1:${port}; ${server.join('\n')} }
}
`
  await writeFile(file, config)
  return Server.start(`http://127.0.0.1:${port}`, [nginx, '-c', file, '-e', 'stderr'])
}
