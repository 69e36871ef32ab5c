import { expect, test } from 'vitest'
import { serverUrl } from '../src/server-url.ts'

test.each([
  ['127.0.0.1', 'http://127.0.0.1:8000'],
  ['::1', 'http://[::1]:8000'],
  ['fd00::7', 'http://[fd00::7]:8000'],
  ['demos.example.org', 'http://demos.example.org:8000'],
])('a server that listens on %s is at %s', (host, url) => {
  expect(serverUrl('http', host, 8000)).toBe(url)
  expect(URL.canParse(url)).toBe(true)
})
