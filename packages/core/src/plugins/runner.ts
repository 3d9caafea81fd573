import type { Plugin, PluginContext } from '@hookmq/api'

/**
 * Where the code of a plugin runs. The host gives it a context and waits; whatever the plugin asks for is registered through
 * that context, and the host takes it back. One runner is one generation of one plugin: it is set up once and torn down once.
 */
export interface PluginRunner {
  readonly placement: 'in-process' | 'worker'
  /** What is wrong with it while it is loaded, such as a worker that is being started again. One sentence. */
  readonly problem?: string
  /** Runs the plugin's own setup. What it rejects with is the reason that the operator sees. */
  setup(context: PluginContext): void | Promise<void>
  /**
   * Called once what `setup` registered is in force. A runner whose code has ended by itself may have a successor set up in its place: until that has
   * succeeded, what was registered stays in force. `replace` rejects when the successor cannot be set up, or something else is under way on
   * the plugin.
   */
  supervise?(replace: (successor: PluginRunner) => Promise<void>): void
  /**
   * Ends what `setup` began. By then no hook is called any more, and calls in flight have ended or have been given up; what was
   * registered with `onTeardown` runs after it.
   */
  teardown(): void | Promise<void>
}

/** The plugin runs as it is, in the thread of the broker. */
export function inProcess(plugin: Plugin): PluginRunner {
  return { placement: 'in-process', setup: (context) => plugin.setup(context), teardown() {} }
}
