import { Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useEffect } from 'react'
import { onOverlay } from './overlays.ts'
import classes from './ShortcutsHelp.module.css'
import { keyName, SHORTCUTS } from './shortcuts.ts'

/** Every shortcut. Mounted when it is first wanted, so it begins open. */
export default function ShortcutsHelp() {
  const [isOpen, sheet] = useDisclosure(true)
  useEffect(() => onOverlay((which) => which === 'shortcuts' && sheet.open()), [sheet.open])
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
