import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../tests/free-port.ts'
import { Server } from './server.ts'

const nginx = '/usr/sbin/nginx'
export const hasNginx = (): boolean => existsSync(nginx)

/** Nginx that stores what is PUT in a folder of `folder`, and gives it back. */
export async function startNginx(folder: string): Promise<Server> {
  const port = await freePort()
  for (const name of ['files', 'temporary']) await mkdir(join(folder, name), { recursive: true, mode: 0o777 })
  const config = `daemon off; worker_processes 1; user root; pid ${folder}/pid; error_log stderr;
events {}
http {
  access_log off; client_max_body_size 0; client_body_temp_path ${folder}/temporary;
  server { listen 127.0.0.1:${port}; root ${folder}/files; location / { dav_methods PUT; create_full_put_path on; } }
}
`
  await writeFile(join(folder, 'nginx.conf'), config)
  return Server.start(`http://127.0.0.1:${port}`, [nginx, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'])
}
