// Asks a passkey for django-allauth's forms, without any script in the page itself.
(() => {
  "use strict";

  const place = document.querySelector("[data-passkey]");
  if (!place || !window.PublicKeyCredential) return;
  const complaint = place.querySelector("[role=alert]");
  const ids = {
    add: "passkey-button",
    authenticate: "passkey-button",
    credential: place.dataset.credential,
    data: "passkey-options",
  };
  place.hidden = false;
  place.querySelector("button").addEventListener("click", () => (complaint.hidden = true));
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault(); // said on the page rather than in the console
    complaint.hidden = false;
  });
  const forms = window.allauth.webauthn.forms;
  if (place.dataset.passkey === "add") forms.addForm({ ids });
  else forms.authenticateForm({ ids });
})();
