import { parseManifest } from '@origami/protocol/demo'
import { expect, test } from 'vitest'
import { manifestOf } from '../../src/deploy/manifest.ts'

test('a deployment whose stored manifest cannot be read has the defaults, one that can has its own', () => {
  const manifest = parseManifest('ready_within: 7\n')
  expect(manifestOf({ manifest })).toEqual(manifest)
  expect(manifestOf({ manifest: undefined })).toEqual(parseManifest(''))
})
