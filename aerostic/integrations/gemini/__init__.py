"""Google's Gemini: text, function calls, structured answers, embeddings. Knows nothing of the product."""
