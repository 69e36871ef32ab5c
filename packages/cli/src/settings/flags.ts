import { type Command, Option } from 'commander'
import { Failure } from '../failure.ts'
import { type KeyName, keys, standardOf, type Values } from './keys.ts'
import { type FlagSetting, readSettings, type Settings } from './read-settings.ts'

/** The flags of one verb that set settings, and the values that result from flags, environment and `origami.yaml`. */
export interface SettingFlags {
  addTo(command: Command): Command
  /** Reads all three sources anew at each call. Throws Failure. */
  read(command: Command): Promise<Settings>
}

/**
 * `[name, flag]` gives a setting another flag in this verb, as `origami daemon --host` sets `daemon.host`. `defaults`
 * are the defaults that differ in this verb.
 */
export function settingFlags(
  names: readonly (KeyName | readonly [KeyName, string])[],
  defaults: Partial<Values> = {},
): SettingFlags {
  const options = names.map((entry) => {
    const [name, flag] = typeof entry === 'string' ? [entry, keys[entry].flag] : entry
    return { name, option: optionOf(name, flag, defaults) }
  })
  const config = new Option('--config <file>', 'file of settings (origami.yaml in the data folder)')
  const limit = new Option('--limit <name=value>', 'a limit, such as waiting=200; may be given again').argParser(
    collect,
  )
  return {
    addTo(command) {
      for (const option of [...options.map((entry) => entry.option), config, limit]) command.addOption(option)
      return command
    },
    read(command) {
      const { config: file, limit: limitFlags = [] } = command.opts<{ config?: string; limit?: string[] }>()
      const byFlag = options.flatMap(({ name, option }): FlagSetting[] => {
        const written: unknown = command.opts()[option.attributeName()]
        return written === undefined ? [] : [{ name, written, flag: option.long ?? name }]
      })
      return readSettings([...byFlag, ...limitFlags.map(limitFromFlag)], file, defaults)
    },
  }
}

function optionOf(name: KeyName, flag: string, defaults: Partial<Values>): Option {
  const { meaning } = keys[name]
  const standard = defaults[name] ?? keys[name].default
  const many = Array.isArray(standard)
  const shown =
    standard === undefined || standard === false || many ? '' : ` (${standardOf(name, defaults)} when not set)`
  const option = new Option(flag, `${meaning}${shown}${many ? '; may be given again' : ''}`)
  return many ? option.argParser(collect) : option
}

const collect = (written: string, before: string[] = []): string[] => [...before, written]

function limitFromFlag(written: string): FlagSetting {
  const [, name, value] = /^([a-z_]+)=(.+)$/.exec(written) ?? []
  if (name === undefined) throw new Failure(`--limit: expected name=value, such as waiting=200, got ${written}`)
  return { name: `limits.${name}`, written: value, flag: `--limit ${name}` }
}
