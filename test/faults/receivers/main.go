// A receiver as Go's net/http has it: receiver PORT
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func hook(w http.ResponseWriter, r *http.Request) {
	secret, err := os.ReadFile(os.Getenv("SECRET_FILE"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	mac := hmac.New(sha256.New, []byte(strings.TrimSpace(string(secret))))
	mac.Write(body)
	expected := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(expected), []byte(r.Header.Get("X-GudDesk-Signature"))) {
		http.Error(w, "not signed", http.StatusUnauthorized)
		return
	}
	var event struct{ Event string }
	if err := json.Unmarshal(body, &event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprint(w, "verified "+event.Event)
}

func main() {
	http.HandleFunc("/hook", hook)
	http.HandleFunc("/crash", func(http.ResponseWriter, *http.Request) { panic("a fault of the receiver") })
	server := http.Server{Addr: "127.0.0.1:" + os.Args[1], IdleTimeout: time.Second}
	if err := server.ListenAndServe(); err != nil {
		panic(err)
	}
}
