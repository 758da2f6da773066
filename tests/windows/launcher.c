// What lies as python.exe in a virtual environment on Windows: it starts the one that the environment was made from, and
// tells it by a variable who it is. Compiled for Pythons that come without theirs.
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

enum { ROOM = 4000, FAILED = 106 };

// Ctrl-C is for the child to answer. To ignore it altogether would be inherited.
static BOOL WINAPI leave_to_child(DWORD event) { return TRUE; }

int wmain(void) {
    wchar_t self[ROOM + 20], base[ROOM + 20], config[ROOM + 20];
    char line[ROOM];
    DWORD status = FAILED;
    STARTUPINFOW startup = {sizeof startup};
    PROCESS_INFORMATION child;
    GetModuleFileNameW(NULL, self, ROOM);
    wcscpy(config, self);
    // Two steps up: out of the folder Scripts.
    *wcsrchr(config, L'\\') = 0;
    *wcsrchr(config, L'\\') = 0;
    wcscat(config, L"\\pyvenv.cfg");
    FILE *file = _wfopen(config, L"rb");
    if (!file) return FAILED;
    while (fgets(line, sizeof line, file) && strncmp(line, "home = ", 7)) continue;
    line[strcspn(line, "\r\n")] = 0;
    MultiByteToWideChar(CP_UTF8, 0, line + 7, -1, base, ROOM);
    wcscat(base, L"\\python.exe");
    SetEnvironmentVariableW(L"__PYVENV_LAUNCHER__", self);
    SetConsoleCtrlHandler(leave_to_child, TRUE);
    if (!CreateProcessW(base, GetCommandLineW(), NULL, NULL, TRUE, 0, NULL, NULL, &startup, &child)) return FAILED;
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &status);
    return (int)status;
}
