; Links that begin with teahouse: open the app. Written by the installer, so that no run of the app has to.
!macro customInstall
  WriteRegStr SHCTX "Software\Classes\teahouse" "" "URL:Teahouse invite"
  WriteRegStr SHCTX "Software\Classes\teahouse" "URL Protocol" ""
  WriteRegStr SHCTX "Software\Classes\teahouse\DefaultIcon" "" "$INSTDIR\${APP_EXECUTABLE_FILENAME},0"
  WriteRegStr SHCTX "Software\Classes\teahouse\shell\open\command" "" '"$INSTDIR\${APP_EXECUTABLE_FILENAME}" "%1"'
!macroend

!macro customUnInstall
  DeleteRegKey SHCTX "Software\Classes\teahouse"
!macroend
