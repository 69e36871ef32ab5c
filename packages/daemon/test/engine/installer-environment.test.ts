import { expect, test } from 'vitest'
import { installerEnvironment } from '../../src/engine/process/installer-environment.ts'

test('installers get where packages come from, a home of their own, and nothing else of the operator', () => {
  const operator = {
    PATH: '/bin',
    HOME: '/home/canary',
    LANG: 'C.UTF-8',
    HTTPS_PROXY: 'http://proxy',
    PIP_INDEX_URL: 'https://index.test',
    ORIGAMI_GITHUB_CLIENT_SECRET: 'canary',
    GITHUB_TOKEN: 'canary',
    AWS_SECRET_ACCESS_KEY: 'canary',
    UV_PUBLISH_TOKEN: 'canary',
    SSH_AUTH_SOCK: '/canary',
    DOCKER_HOST: 'canary',
    NODE_OPTIONS: '--require canary',
  }
  const environment = installerEnvironment(operator, '/state/engine/home')
  expect(JSON.stringify(environment)).not.toContain('canary')
  expect(environment).toMatchObject({
    HOME: '/state/engine/home',
    HTTPS_PROXY: 'http://proxy',
    PIP_INDEX_URL: 'https://index.test',
  })
  expect(environment.PATH).toMatch(/:\/bin$/)
})
