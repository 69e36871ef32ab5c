import styles from './components.module.css'
import { Upload } from './upload.tsx'
import type { InputProps, OutputProps, ViewOf } from './view.ts'

const Input = (props: InputProps) => <Upload {...props} accept="image/*" preview />

const Output = ({ value, demo, label }: OutputProps) => (
  <a href={demo.address(String(value))}>
    <img className={styles.picture} src={demo.address(String(value))} alt={label} />
  </a>
)

export const image: ViewOf<'image'> = { Input, Output, isFile: true }
