import { ManifestError } from '@origami/protocol/demo'
import { expect, test } from 'vitest'
import { DeployFailed, failureOf } from '../../src/deploy/failure.ts'
import { BuildError, ConfigError } from '../../src/engine/engine.ts'
import { SourceError } from '../../src/source/source.ts'

test.each([
  [new SourceError('There is no such repository.'), 'clone_failed'],
  [new ManifestError('.origami line 1'), 'config_error'],
  [new ConfigError('There is no Dockerfile.'), 'config_error'],
  [new BuildError('pip failed'), 'build_failed'],
])('what an author can act on keeps its words, whatever was under way: %s', (error, state) => {
  for (const step of ['cloning', 'building', 'starting'])
    expect(failureOf(error, step)).toMatchObject({ state, message: error.message })
})

test.each([
  ['cloning', 'clone_failed'],
  ['validating', 'config_error'],
  ['building', 'build_failed'],
  ['waiting_ready', 'start_failed'],
])('what nobody foresaw is a failure of its step: %s', (step, state) => {
  const message = `Something went wrong while ${step.replace('_', ' ')}: ENOSPC`
  expect(failureOf(new Error('ENOSPC'), step)).toMatchObject({ state, message })
  expect(failureOf('ENOSPC', step)).toMatchObject({ state, message })
})

test('a failure that has its state already is that one', () => {
  const failed = new DeployFailed('start_failed', 'It did not answer.')
  expect(failureOf(failed, 'building')).toBe(failed)
})
