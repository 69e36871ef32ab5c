import { expect, test } from 'vitest'
import { failedTests, slowestTests } from './report.ts'

const file = (name: string, seconds: number, tests: Record<string, string>, message = '') => ({
  name: `/clone/${name}`,
  status: message || Object.values(tests).includes('failed') ? 'failed' : 'passed',
  message,
  startTime: 1000,
  endTime: 1000 + seconds * 1000,
  assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
})
const testResults = [
  file('tests/quick.test.ts', 0.25, { 'a list is sorted': 'passed', 'an empty list is empty': 'failed' }),
  file('tests/slow.test.ts', 12, { 'a demo is deployed': 'passed' }),
  file('tests/broken.test.ts', 1, { 'a page is shown': 'skipped' }, 'there is no Chromium\n    at startBrowser'),
]

test('the files that took longest are named, the longest first', () => {
  expect(slowestTests({ testResults }, '/clone')).toEqual([
    'slowest files:',
    '   12.0 s  tests/slow.test.ts',
    '    1.0 s  tests/broken.test.ts',
    '    0.3 s  tests/quick.test.ts',
  ])
})

test('each test that failed is named, and of a file that failed before its tests, why', () => {
  expect(failedTests({ testResults }, '/clone')).toEqual([
    'failed: tests/quick.test.ts > an empty list is empty',
    'failed: tests/broken.test.ts > there is no Chromium',
  ])
  expect(failedTests({ testResults: testResults.slice(1, 2) }, '/clone')).toEqual([])
})
