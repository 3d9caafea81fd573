/** The provider was not asked: its policy did not let the call through. Counted, but not logged one by one. */
export class NotAsked extends Error {}
