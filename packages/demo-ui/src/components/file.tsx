import styles from './components.module.css'
import { fileNameOf, Upload } from './upload.tsx'
import type { InputProps, OutputProps, ViewOf } from './view.ts'

const Input = (props: InputProps) => (
  <Upload {...props} accept={props.options.accept as string | undefined} preview={false} />
)

const Output = ({ value, demo }: OutputProps) => (
  <a className={styles.file} href={demo.address(String(value))} download>
    {fileNameOf(String(value))}
  </a>
)

export const file: ViewOf<'file'> = { Input, Output, isFile: true }
