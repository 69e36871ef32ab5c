import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ProcessEngine } from '../../src/engine/process/process-engine.ts'
import { engineContract } from './contract.ts'

engineContract('process', {
  make: (folder, owner) => new ProcessEngine({ folder, owner, environment: process.env }),
  broken: { files: { 'package.json': '{ not JSON' }, says: 'EJSONPARSE' },
  misshapen: [
    { what: 'no vendored runtime', files: {}, without: ['origami/server.mjs'], says: 'origami bundle' },
    { what: 'a Dockerfile alone', files: {}, without: ['origami'], says: 'use the docker engine' },
  ],
  async endless() {
    const registry = createServer()
    const asked = once(registry, 'request')
    registry.listen(0, '127.0.0.1')
    await once(registry, 'listening')
    let begun = false
    void asked.then(() => {
      begun = true
    })
    const { port } = registry.address() as AddressInfo
    return {
      files: {
        'package.json': '{ "dependencies": { "left-pad": "1" } }',
        '.npmrc': `registry=http://127.0.0.1:${port}/\n`,
      },
      word: 'npm install',
      begun: () => begun,
      end: () => registry.closeAllConnections(),
    }
  },
})
