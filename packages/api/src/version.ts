/** Of this package: what the `api` range of a plugin is compared with. */
export const apiVersion = '0.1.0'
