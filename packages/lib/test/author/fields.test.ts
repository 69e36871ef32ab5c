import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as components from '../../src/author/components.ts'
import { builder } from '../../src/author/fields.ts'

describe('a field', () => {
  test('without options is its component', () => {
    expect(components.text()).toEqual({ component: 'text', options: {} })
  })

  test('keeps its words, its default and that it is optional apart from what its component is told', () => {
    const common = { label: 'Heat', description: 'How hot', default: 0, optional: true }
    expect(components.slider({ min: 0, max: 1, ...common })).toEqual({
      component: 'slider',
      options: { min: 0, max: 1 },
      ...common,
    })
  })

  test('with a default of nothing much has it still; one of undefined has none', () => {
    for (const value of ['', 0, false]) expect(builder('json')({ default: value })).toHaveProperty('default', value)
    expect('default' in builder('json')({ default: undefined as never })).toBe(false)
  })

  test('hands on whatever else is written, for the schema to judge', () => {
    const options = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.jsonValue())
    const reserved = new Set(['label', 'description', 'default', 'optional'])
    fc.assert(
      fc.property(options, (written) => {
        const field = (builder('json') as (options: object) => { options: object })(written)
        expect(field.options).toEqual(
          Object.fromEntries(Object.entries(written).filter(([name]) => !reserved.has(name))),
        )
      }),
    )
  })

  test.each(Object.entries(components))('%s builds its own component', (name, build) => {
    expect((build as (options: object) => unknown)({})).toMatchObject({ component: name })
  })
})
