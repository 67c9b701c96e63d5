// One conversation with /v1/chat/completions, streamed. What anyone says is only ever text, never markup.
"use strict";

const byId = (id) => document.getElementById(id);
let messages = [];
let stopping = null;

function bubble(kind, text) {
  const element = document.createElement("p");
  element.className = `message ${kind}`;
  element.textContent = text;
  byId("messages").append(element);
  return element;
}

// The text of each server-sent event; an event may come in pieces, and a character too.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    buffer += value;
    const whole = buffer.split("\n\n");
    buffer = whole.pop();
    for (const event of whole) if (event.startsWith("data: ")) yield event.slice(6);
  }
}

async function complete(chat, show) {
  const response = await fetch("v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages: chat, stream: true, temperature: Number(byId("temperature").value) }),
    signal: stopping.signal,
  });
  if (!response.ok) throw new Error((await response.json()).error?.message ?? response.statusText);
  for await (const event of events(response)) {
    if (event === "[DONE]") return;
    const chunk = JSON.parse(event);
    if (chunk.error) throw new Error(chunk.error);
    show(chunk.choices[0].delta.content ?? "");
  }
}

async function ask(question) {
  const chat = messages; // "New chat" makes another one
  chat.push({ role: "user", content: question });
  bubble("user", question);
  const answer = bubble("assistant", "");
  stopping = new AbortController();
  byId("send").textContent = "Stop";
  try {
    await complete(chat, (text) => {
      answer.textContent += text;
      byId("messages").scrollTop = byId("messages").scrollHeight;
    });
  } catch (error) {
    if (error.name !== "AbortError") bubble("error", String(error.message));
  }
  chat.push({ role: "assistant", content: answer.textContent });
  stopping = null;
  byId("send").textContent = "Send";
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = byId("question").value.trim();
  if (stopping) return stopping.abort();
  if (!question) return;
  byId("question").value = "";
  ask(question);
});

byId("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!stopping) byId("form").requestSubmit();
});

byId("clear").addEventListener("click", () => {
  if (stopping) stopping.abort();
  messages = [];
  byId("messages").replaceChildren();
});

fetch("v1/models").then((answer) => answer.json()).then((list) => { byId("model").textContent = list.data[0].id; });
