import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core'

/**
 * Every colour, size and shadow there is, once. Style sheets read them as `--ori-*`; Mantine's own variables point to the same values.
 * Both accents and both mutes have 4.5:1 on ground, sheet and sunk.
 */
export const tokens = {
  light: {
    ground: '#f8f5f0',
    sheet: '#fffdfa',
    sunk: '#f1ece5',
    line: '#e2dbd1',
    edge: '#958b80',
    ink: '#25211d',
    mute: '#665e56',
    accent: '#b93417',
    'accent-hover': '#a02b11',
    'accent-wash': '#fbe9e3',
    good: '#3f6b3a',
    wait: '#8a5a00',
    'shadow-low': '0 1px 2px rgb(60 42 24 / 8%)',
    'shadow-high': '0 1px 2px rgb(60 42 24 / 6%), 0 8px 24px rgb(60 42 24 / 8%)',
    'fold-light': '#ffffff',
    'fold-dark': '#3c2a18',
  },
  dark: {
    ground: '#191715',
    sheet: '#221f1c',
    sunk: '#151311',
    line: '#38332e',
    edge: '#7d7469',
    ink: '#ece6de',
    mute: '#aaa197',
    accent: '#f27a5a',
    'accent-hover': '#f79479',
    'accent-wash': '#3a231b',
    good: '#8fbf86',
    wait: '#dfae55',
    'shadow-low': '0 1px 2px rgb(0 0 0 / 40%)',
    'shadow-high': '0 1px 2px rgb(0 0 0 / 40%), 0 8px 24px rgb(0 0 0 / 32%)',
    'fold-light': '#f5e8d8',
    'fold-dark': '#000000',
  },
  /** The same in light and dark. Spaces are steps of 8 pixels. */
  both: {
    'space-half': '0.25rem',
    'space-1': '0.5rem',
    'space-2': '1rem',
    'space-3': '1.5rem',
    'space-4': '2rem',
    'space-6': '3rem',
    'space-8': '4rem',
    hair: '1px',
    ring: '2px',
    radius: '0.5rem',
    measure: '68ch',
    page: '72rem',
    control: '2.5rem',
    run: '3rem',
    'text-small': '0.8125rem',
    'text-body': '0.9375rem',
    'text-lead': '1.0625rem',
    'text-title': '1.625rem',
    'text-number': '2rem',
    'on-accent': '#fffdfa',
    'accent-fill': '#b93417',
    'accent-fill-hover': '#a02b11',
    paper: '#ffffff',
    pen: '#000000',
    quick: '150ms',
    body: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
    mono: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  },
  /** The sixteen colours of a terminal, by ANSI number, readable on `sunk`. */
  terminal: {
    light: ['#25211d', '#a8290f', '#3f6b3a', '#7d5200', '#2c5a8f', '#84407e', '#1f6668', '#665e56'],
    dark: ['#aaa197', '#f27a5a', '#8fbf86', '#dfae55', '#8db4e2', '#d39bcd', '#7fc4c4', '#ece6de'],
  },
  /** Paper a cover may be folded from. */
  papers: {
    light: ['#d9573b', '#5b7fa6', '#7b9468', '#d3a24b', '#94708f', '#7d8a8c', '#c58a70', '#5f9490'],
    dark: ['#a9432c', '#44627f', '#5c7150', '#9c7736', '#70546c', '#5d6869', '#946553', '#476f6c'],
  },
} as const

/** How narrow a page is when it has one column: CSS cannot read a variable there, so style sheets repeat this number. */
export const narrow = '(max-width: 799px)'

const vermilion: MantineColorsTuple = [
  '#fdf1ed',
  '#fbe9e3',
  '#f6cbbe',
  '#f3a48e',
  '#f27a5a',
  '#e2603d',
  '#cd4526',
  '#b93417',
  '#a02b11',
  '#7c1f0a',
]
const same = (value: string) => ({ xs: value, sm: value, md: value, lg: value, xl: value })
const { both } = tokens

export const theme = createTheme({
  primaryColor: 'vermilion',
  primaryShade: { light: 7, dark: 7 },
  colors: { vermilion },
  fontFamily: both.body,
  fontFamilyMonospace: both.mono,
  defaultRadius: 'md',
  radius: same(both.radius),
  spacing: {
    xs: both['space-1'],
    sm: both['space-2'],
    md: both['space-3'],
    lg: both['space-4'],
    xl: both['space-6'],
  },
  shadows: {
    xs: 'var(--ori-shadow-low)',
    sm: 'var(--ori-shadow-low)',
    md: 'var(--ori-shadow-high)',
    lg: 'var(--ori-shadow-high)',
    xl: 'var(--ori-shadow-high)',
  },
  fontSizes: {
    xs: both['text-small'],
    sm: both['text-body'],
    md: both['text-body'],
    lg: both['text-lead'],
    xl: both['text-title'],
  },
  headings: { fontWeight: '650', fontFamily: both.body },
  respectReducedMotion: true,
  cursorType: 'pointer',
})

const named = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`--ori-${name}`, value]))
const numbered = (name: string, values: readonly string[]) =>
  Object.fromEntries(values.map((value, index) => [`--ori-${name}-${index}`, value]))

const scheme = (mode: 'light' | 'dark') => ({
  ...named(tokens[mode]),
  ...numbered('ansi', tokens.terminal[mode]),
  ...numbered('paper', tokens.papers[mode]),
  '--mantine-color-body': 'var(--ori-ground)',
  '--mantine-color-text': 'var(--ori-ink)',
  '--mantine-color-bright': 'var(--ori-ink)',
  '--mantine-color-dimmed': 'var(--ori-mute)',
  '--mantine-color-placeholder': 'var(--ori-mute)',
  '--mantine-color-anchor': 'var(--ori-accent)',
  '--mantine-color-error': 'var(--ori-accent)',
  '--mantine-color-default': 'var(--ori-sheet)',
  '--mantine-color-default-hover': 'var(--ori-sunk)',
  '--mantine-color-default-color': 'var(--ori-ink)',
  '--mantine-color-default-border': 'var(--ori-edge)',
  '--mantine-color-disabled': 'var(--ori-sunk)',
  '--mantine-color-disabled-color': 'var(--ori-mute)',
  '--mantine-color-disabled-border': 'var(--ori-line)',
  '--mantine-primary-color-filled': 'var(--ori-accent-fill)',
  '--mantine-primary-color-filled-hover': 'var(--ori-accent-fill-hover)',
  '--mantine-primary-color-light': 'var(--ori-accent-wash)',
  '--mantine-primary-color-light-color': 'var(--ori-accent)',
})

/** The tokens as CSS variables, Mantine's own among them. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: named(both),
  light: scheme('light'),
  dark: scheme('dark'),
})
