/** The codes that errors carry, and what each means; GET /error_codes shows them. */
export const errorCodes = {
  ALREADY_EXISTS: 'There already is one of this name',
  AUTHORIZATION_HEADER_ERROR:
    'The request has no usable Authorization header: Basic with an API key, or Bearer with a token',
  BAD_API_KEY_OR_SECRET: 'The API key is unknown, switched off or expired, or its secret is wrong',
  BAD_LISTENER_ID: 'There is no listener of this id',
  BAD_REQUEST: 'The request is not as it should be; the message says what is wrong',
  BAD_TOKEN: 'The token is unknown, expired or logged out',
  BAD_USERNAME_OR_PWD: 'The user does not exist or the password is wrong',
  CLIENTID_NOT_FOUND: 'There is no session of this client',
  EXCEED_LIMIT: 'There are as many as there may be',
  FORBIDDEN: 'A hook refused the message',
  INTERNAL_ERROR: 'The broker made a mistake; its log has the details',
  LOGIN_LOCKED: 'Too many failed logins; try again later',
  METHOD_NOT_ALLOWED: 'The path exists, but not with this method',
  NOT_FOUND: 'There is no such path or thing',
  PAYLOAD_TOO_LARGE: 'The body is bigger than the server takes',
  SERVICE_UNAVAILABLE: 'The server has too much to do, or a process of the broker is away; try again later',
  UNAUTHORIZED_ROLE: 'The role of this user or API key does not allow it',
  UNSUPPORTED_MEDIA_TYPE: 'Bodies must be application/json',
  USER_NOT_FOUND: 'There is no such user',
} as const satisfies Record<string, string>

export type ErrorCode = keyof typeof errorCodes

/** Thrown by endpoints: becomes `{ code, message }` with this HTTP status. */
export class ApiError extends Error {
  readonly status: number
  readonly code: ErrorCode

  constructor(status: number, code: ErrorCode, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
  }
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BAD_REQUEST', message)
}
