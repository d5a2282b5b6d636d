import { styleText } from 'node:util'

const WIDTH = 80
const INDENT = '    '

type Style = Parameters<typeof styleText>[0]

/** No colours when the output goes to a file or a pipe. */
function styled(style: Style, text: string): string {
  return process.stdout.isTTY ? styleText(style, text) : text
}

export const bold = (text: string) => styled('bold', text)
export const dim = (text: string) => styled('dim', text)
export const green = (text: string) => styled('green', text)
export const red = (text: string) => styled('red', text)

export function ms(value: number): string {
  const digits = value < 100 ? 1 : 0
  return `${value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ms`
}

/** "1 agent", "2,000 messages" */
export function many(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

export function say(text = ''): void {
  console.log(text)
}

let steps = 0

/** Prints a numbered step and, right-aligned, its duration. */
export function step(title: string, took: number): void {
  steps++
  const time = ms(took)
  say()
  say(`${dim(`${steps}`.padStart(2))}  ${bold(title)}${time.padStart(WIDTH - INDENT.length - title.length)}`)
}

/** Lines under a step. */
export function detail(...lines: string[]): void {
  for (const line of lines) say(INDENT + line)
}

/** Less important lines under a step, dimmed. */
export function quote(text: string): void {
  detail(...text.split('\n').map(dim))
}

/** Columns padded to their widest cell; the first is text, the others are figures. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('   ')
  detail(dim(line(head)), ...rows.map(line))
}
