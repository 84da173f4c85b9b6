"""Google: sign-in with PKCE, Drive and Sheets, asked over HTTP directly."""
