import { z } from 'zod'
import { type ComponentName, componentNames, componentOf } from './registry.ts'

const name = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'a field name is a letter or _ and then letters, digits, _')

/** One input or output of a demo. */
const fieldSchema = z
  .strictObject({
    name,
    label: z.string().max(200),
    description: z.string().max(2000).optional(),
    component: z.enum(componentNames as [ComponentName, ...ComponentName[]]),
    options: z.record(z.string(), z.unknown()),
    required: z.boolean().describe('Inputs only: it may be left out or null when false'),
    default: z.unknown().optional(),
  })
  .superRefine((field, context) => {
    const parsed = componentOf(field.component).options.safeParse(field.options)
    for (const issue of parsed.error?.issues ?? [])
      context.addIssue({ code: 'custom', message: issue.message, path: ['options', ...issue.path] })
  })

/** What pages, clients and the queue need to know about a demo. */
export const demoSchema = z.strictObject({
  api: z.literal(1).describe('Version of this contract'),
  title: z.string().max(200),
  description: z.string().max(10_000),
  inputs: z.array(fieldSchema).max(50),
  outputs: z.array(fieldSchema).min(1).max(50),
  examples: z
    .array(z.record(z.string(), z.unknown()))
    .max(100)
    .describe(
      'Values of inputs to try, by field name. Files are `data:` URIs or references that the demo itself serves',
    ),
  streaming: z.boolean().describe('Whether outputs come in parts'),
  concurrency: z.int().min(1).max(64).describe('How many predictions one instance takes at a time, 1 to 64'),
})

export type Field = z.infer<typeof fieldSchema>
export type DemoSchema = z.infer<typeof demoSchema>

/** An input by field name. Files are FileRefs after an adapter has stored them. */
export type Input = Record<string, unknown>
