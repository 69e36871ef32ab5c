import { logger } from '@origami/host/logger'
import { expect, test, vi } from 'vitest'

test('what a room tells is on standard error, with its name and the error', () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const error = new Error('full')
  logger('engine').error('the cache could not be made smaller; the next build tries again', error)
  logger('certificates').info('It was renewed.')
  logger('logs').info('a\npredictions: all is well\u001b[2J')
  expect(logged.mock.calls).toEqual([
    ['engine: the cache could not be made smaller; the next build tries again', error],
    ['certificates: It was renewed.'],
    ['logs: a\\u000apredictions: all is well\\u001b[2J'],
  ])
  logged.mockRestore()
})
