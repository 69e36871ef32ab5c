import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Terminal } from '../../src/runtime/pool/terminal.ts'

function terminal() {
  const stream = new PassThrough()
  const printed: string[] = []
  return { stream, text: () => printed.join(''), terminal: new Terminal(stream, (text) => printed.push(text)) }
}

test('marks are taken out, also where they come in pieces', async () => {
  const { stream, text, terminal: shown } = terminal()
  for (const piece of ['before\u001e', 'abc', '\nafter', '\n']) stream.write(piece)
  await shown.until('abc')
  stream.end()
  await shown.ended
  expect(text()).toBe('beforeafter\n')
})

test('what only looks like the beginning of a mark is text', async () => {
  const { stream, text, terminal: shown } = terminal()
  const binary = `\u001e${'x'.repeat(1000)}\n\u001e\u001e${'y'.repeat(200)}`
  stream.write(binary)
  stream.end('\u001eopen')
  await shown.ended
  expect(text()).toBe(`${binary}\u001eopen`)
})

test('a mark is at most 127 characters long; what is longer is text', async () => {
  const { stream, text, terminal: shown } = terminal()
  const [longest, longer] = ['m'.repeat(127), 'm'.repeat(128)]
  for (const piece of [`\u001e${longest}`, '\n', `\u001e${longer}`, '\n']) stream.write(piece)
  await shown.until(longest)
  stream.end()
  await shown.ended
  expect(text()).toBe(`\u001e${longer}\n`)
})

test('a mark is waited for that did not come yet; of those that nobody waited for the last hundred are known', async () => {
  const { stream, terminal: shown } = terminal()
  for (let mark = 0; mark <= 100; mark += 1) stream.write(`\u001e${mark}\n`)
  await shown.until('1')
  let came = false
  const waited = shown.until('0').then(() => {
    came = true
  })
  await setImmediate()
  expect(came).toBe(false)
  stream.write('\u001e0\n')
  await waited
})

test('what is printed while it is held is not read, until it is to be read or a mark is waited for', async () => {
  const program = 'while IFS= read -r line; do printf "%s\\n" "$line"; echo printed >&2; done'
  const child = spawn('sh', ['-c', program], { stdio: ['pipe', 'pipe', 'pipe'] })
  const printed: string[] = []
  const shown = new Terminal(child.stdout, (text) => printed.push(text))
  const print = async (text: string) => {
    child.stdin.write(text)
    await once(child.stderr, 'data')
    await setImmediate()
  }
  expect(shown.canHold).toBe(true)
  await print('first\n')
  shown.hold()
  await print('second\n')
  await print('\u001eone\n')
  expect(printed.join('')).toBe('first\n')
  await shown.until('one')
  await print('third\n')
  expect(printed.join('')).toBe('first\nsecond\n')
  shown.read()
  child.stdin.end()
  await shown.ended
  expect(printed.join('')).toBe('first\nsecond\nthird\n')
})
