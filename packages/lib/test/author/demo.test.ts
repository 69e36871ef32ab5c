import { expect, test } from 'vitest'
import { demo, demoMark } from '../../src/author/demo.ts'
import { text } from '../../src/author/index.ts'

const definition = { title: 'Echo', inputs: { say: text() }, outputs: { said: text() }, predict: () => 'x' }

test('a demo is its definition, marked so that every copy of this module knows it', () => {
  const made = demo(definition)
  expect(made).toMatchObject(definition)
  expect(made.predict).toBe(definition.predict)
  expect(Reflect.get(made, Symbol.for('origami.demo'))).toBe(true)
  expect(demoMark).toBe(Symbol.for('origami.demo'))
})

test('what an author passed stays as it was', () => {
  const frozen = Object.freeze({ ...definition })
  expect(demo(frozen)).not.toBe(frozen)
  expect(Reflect.ownKeys(frozen)).not.toContain(demoMark)
})
