import type { Authorizer } from 'hookmq'

/**
 * Who may do what. A request names the client, the action ('publish' or 'subscribe') and the topic; the answer is 'allow', 'deny', or
 * 'ignore' for: not mine, the next module is asked.
 */
export function aclModule(result: 'allow' | 'ignore'): Authorizer {
  return {
    name: 'my-plugin-acl-demo',
    authorize: () => result,
  }
}
