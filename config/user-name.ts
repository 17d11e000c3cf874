/** A name for Basic authentication: no colon (RFC 7617 §2), no spaces and no control characters. */
export const isUserName = (name: string): boolean => /^[^\s:*\p{Cc}]{1,64}$/u.test(name);
