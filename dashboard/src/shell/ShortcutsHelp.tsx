import { Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useEffect } from 'react'
import classes from './ShortcutsHelp.module.css'
import { keyName, SHORTCUTS } from './shortcuts.ts'

const OPEN = 'guddesk:shortcuts'

/** Opens the sheet from anywhere. */
export function openShortcuts(): void {
  dispatchEvent(new Event(OPEN))
}

export function ShortcutsHelp() {
  const [isOpen, sheet] = useDisclosure()
  useEffect(() => {
    // By the letter: where it is on the keyboard, and with which keys, differs from country to country.
    const onKey = (event: KeyboardEvent) => {
      if (event.key === '?' && !isWriting(event.target)) sheet.open()
    }
    addEventListener('keydown', onKey)
    addEventListener(OPEN, sheet.open)
    return () => {
      removeEventListener('keydown', onKey)
      removeEventListener(OPEN, sheet.open)
    }
  }, [sheet.open])
  return (
    <Modal opened={isOpen} onClose={sheet.close} title="Keyboard shortcuts" size="lg">
      <div className={classes.sheet}>
        {SHORTCUTS.map(({ group, keys }) => (
          <section key={group}>
            <h3 className={classes.group}>{group}</h3>
            <dl className={classes.list}>
              {keys.map(({ keys: combination, label }) => (
                <div key={label} className={classes.row}>
                  <dt>{label}</dt>
                  <dd className={classes.keys}>
                    {combination.map((key) => (
                      <kbd key={key}>{keyName(key)}</kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  )
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'))
}
