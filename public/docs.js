/* Shows /openapi.json with Swagger UI. Nothing is loaded from other hosts. */
(() => {
  const place = document.getElementById('docs');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', follow);
  follow();
  window.SwaggerUIBundle({
    url: place.dataset.url,
    domNode: place,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    docExpansion: 'list',
    // Its online validator and settings from the URL would let others choose what is loaded.
    validatorUrl: null,
    queryConfigEnabled: false,
    persistAuthorization: false,
  });
})();
