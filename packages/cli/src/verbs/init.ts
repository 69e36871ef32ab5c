import { basename, relative, resolve } from 'node:path'
import { cancel, group, select, text } from '@clack/prompts'
import { Command, Option } from 'commander'
import { Failure } from '../failure.ts'
import { type Choices, inputs, languages, outputs } from '../init/choices.ts'
import { expectEmpty, newDemoFiles, titleFromFolder, writeNewDemo } from '../init/new-demo.ts'

type FlagChoices = { readonly [Name in keyof Choices]?: Choices[Name] | undefined }
type Flags = FlagChoices & { json?: boolean }

export const initVerb = () =>
  new Command('init')
    .description('write a new demo: a model, what it depends on, a README and .gitignore. Asks for what no flag says')
    .argument('[folder]', 'a new or empty one', '.')
    .addOption(new Option('--language <language>', 'what the model is written in').choices(languages))
    .addOption(new Option('--input <component>', 'what goes in').choices(inputs))
    .addOption(new Option('--output <component>', 'what comes out').choices(outputs))
    .option('--title <title>', "what it is called; the folder's name when not given")
    .option('--json', 'print JSON: {folder, files}; asks nothing')
    .action(async (folderArgument: string, flags: Flags) => {
      const folder = resolve(folderArgument)
      await expectEmpty(folder)
      const choices = await chosen(folder, flags)
      const files = newDemoFiles(basename(folder), choices)
      await writeNewDemo(folder, files)
      if (flags.json) return console.log(JSON.stringify({ folder, files: [...files.keys()] }))
      const model = choices.language === 'python' ? 'model.py' : 'model.ts'
      const go = folder === process.cwd() ? '' : `cd ${relative(process.cwd(), folder)} && `
      console.log(`Wrote ${[...files.keys()].join(', ')} in ${folder}.\nNext: ${go}origami serve ${model}`)
    })

async function chosen(folder: string, { language, input, output, title, json }: Flags): Promise<Choices> {
  const defaults: Choices = {
    language: language ?? 'python',
    input: input ?? 'text',
    output: output ?? 'label',
    title: title ?? titleFromFolder(folder),
  }
  if (title?.trim() === '') throw new Failure('expected a title with letters in it, got an empty one')
  if (json || (language && input && output)) return defaults
  if (process.stdin.isTTY && process.stdout.isTTY) return asked(defaults, { language, input, output, title })
  console.error(
    `No terminal to ask in: --language ${defaults.language} --input ${defaults.input} --output ${defaults.output}`,
  )
  return defaults
}

/** Asks for each choice that no flag made. Throws Failure when the person cancels. */
async function asked(defaults: Choices, said: FlagChoices): Promise<Choices> {
  const options = <Value extends string>(values: readonly Value[]) => values.map((value) => ({ value, label: value }))
  return group(
    {
      language: async () =>
        said.language ??
        select({
          message: 'What is the model written in?',
          options: options(languages),
          initialValue: defaults.language,
        }),
      input: async () =>
        said.input ?? select({ message: 'What goes in?', options: options(inputs), initialValue: defaults.input }),
      output: async () =>
        said.output ?? select({ message: 'What comes out?', options: options(outputs), initialValue: defaults.output }),
      title: async () =>
        said.title ??
        text({
          message: 'What is it called?',
          initialValue: defaults.title,
          validate: (value) => (value?.trim() ? undefined : 'A title, please'),
        }),
    },
    {
      onCancel: () => {
        cancel('Nothing was written.')
        throw new Failure('left before all was answered')
      },
    },
  )
}
