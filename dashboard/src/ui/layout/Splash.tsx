import { Loader } from '@mantine/core'
import classes from './Splash.module.css'

/** The whole window, while nothing is known yet. */
export function Splash() {
  return (
    <div className={classes.splash} role="status">
      <Loader size="sm" aria-hidden />
      <span className="visually-hidden">Loading GudDesk</span>
    </div>
  )
}
