#include "libpq/libpq.h"

#include "base/library.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stddef.h>

/* Filled once, by the first connection; read by any thread after that. */
static struct {
    typeof(PQclear) *clear;
    typeof(PQcmdTuples) *cmdTuples;
    typeof(PQconnectdbParams) *connectdbParams;
    typeof(PQconsumeInput) *consumeInput;
    typeof(PQerrorMessage) *errorMessage;
    typeof(PQexec) *exec;
    typeof(PQexecParams) *execParams;
    typeof(PQfinish) *finish;
    typeof(PQflush) *flush;
    typeof(PQfreemem) *freemem;
    typeof(PQgetCopyData) *getCopyData;
    typeof(PQgetResult) *getResult;
    typeof(PQgetisnull) *getisnull;
    typeof(PQgetlength) *getlength;
    typeof(PQgetvalue) *getvalue;
    typeof(PQisBusy) *isBusy;
    typeof(PQnfields) *nfields;
    typeof(PQfname) *fname;
    typeof(PQftype) *ftype;
    typeof(PQntuples) *ntuples;
    typeof(PQputCopyData) *putCopyData;
    typeof(PQputCopyEnd) *putCopyEnd;
    typeof(PQresultErrorField) *resultErrorField;
    typeof(PQresultErrorMessage) *resultErrorMessage;
    typeof(PQresultStatus) *resultStatus;
    typeof(PQsendQuery) *sendQuery;
    typeof(PQserverVersion) *serverVersion;
    typeof(PQsetSingleRowMode) *setSingleRowMode;
    typeof(PQsocket) *socket;
    typeof(PQstatus) *status;
    typeof(PQtransactionStatus) *transactionStatus;
    typeof(PQparameterStatus) *parameterStatus;
    typeof(PQsetnonblocking) *setnonblocking;
    typeof(PQescapeLiteral) *escapeLiteral;
    typeof(PQescapeIdentifier) *escapeIdentifier;
    typeof(PQsetNoticeProcessor) *setNoticeProcessor;
    typeof(PQgetCancel) *getCancel;
    typeof(PQcancel) *cancel;
    typeof(PQfreeCancel) *freeCancel;
    typeof(PQbackendPID) *backendPID;
    typeof(PQsslInUse) *sslInUse;
} libpq;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct error failure;
static int loaded;

#define FUNCTION(name)                            \
    {                                             \
        "PQ" #name, offsetof(typeof(libpq), name) \
    }

static void load(void)
{
    static const char *const NAMES[] = {"libpq.so.5", "libpq.5.dylib", "libpq.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        FUNCTION(clear),
        FUNCTION(cmdTuples),
        FUNCTION(connectdbParams),
        FUNCTION(consumeInput),
        FUNCTION(errorMessage),
        FUNCTION(exec),
        FUNCTION(execParams),
        FUNCTION(finish),
        FUNCTION(flush),
        FUNCTION(freemem),
        FUNCTION(getCopyData),
        FUNCTION(getResult),
        FUNCTION(getisnull),
        FUNCTION(getlength),
        FUNCTION(getvalue),
        FUNCTION(isBusy),
        FUNCTION(nfields),
        FUNCTION(fname),
        FUNCTION(ftype),
        FUNCTION(ntuples),
        FUNCTION(putCopyData),
        FUNCTION(putCopyEnd),
        FUNCTION(resultErrorField),
        FUNCTION(resultErrorMessage),
        FUNCTION(resultStatus),
        FUNCTION(sendQuery),
        FUNCTION(serverVersion),
        FUNCTION(setSingleRowMode),
        FUNCTION(socket),
        FUNCTION(status),
        FUNCTION(transactionStatus),
        FUNCTION(parameterStatus),
        FUNCTION(setnonblocking),
        FUNCTION(escapeLiteral),
        FUNCTION(escapeIdentifier),
        FUNCTION(setNoticeProcessor),
        FUNCTION(getCancel),
        FUNCTION(cancel),
        FUNCTION(freeCancel),
        FUNCTION(backendPID),
        FUNCTION(sslInUse),
    };
    loaded = library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, &libpq, &failure);
}

int libpq_load(struct error *err)
{
    pthread_once(&once, load);
    if (loaded < 0)
        *err = failure;
    return loaded;
}

void PQclear(PGresult *res)
{
    libpq.clear(res);
}

char *PQcmdTuples(PGresult *res)
{
    return libpq.cmdTuples(res);
}

PGconn *PQconnectdbParams(const char *const *keywords, const char *const *values, int expand_dbname)
{
    struct error unused;
    return libpq_load(&unused) == 0 ? libpq.connectdbParams(keywords, values, expand_dbname) : NULL;
}

int PQconsumeInput(PGconn *conn)
{
    return libpq.consumeInput(conn);
}

char *PQerrorMessage(const PGconn *conn)
{
    return libpq.errorMessage(conn);
}

PGresult *PQexec(PGconn *conn, const char *query)
{
    return libpq.exec(conn, query);
}

PGresult *PQexecParams(PGconn *conn, const char *command, int nParams, const Oid *paramTypes,
                       const char *const *paramValues, const int *paramLengths, const int *paramFormats,
                       int resultFormat)
{
    return libpq.execParams(conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats,
                            resultFormat);
}

void PQfinish(PGconn *conn)
{
    libpq.finish(conn);
}

int PQflush(PGconn *conn)
{
    return libpq.flush(conn);
}

void PQfreemem(void *ptr)
{
    libpq.freemem(ptr);
}

int PQgetCopyData(PGconn *conn, char **buffer, int async)
{
    return libpq.getCopyData(conn, buffer, async);
}

PGresult *PQgetResult(PGconn *conn)
{
    return libpq.getResult(conn);
}

int PQgetisnull(const PGresult *res, int tup_num, int field_num)
{
    return libpq.getisnull(res, tup_num, field_num);
}

int PQgetlength(const PGresult *res, int tup_num, int field_num)
{
    return libpq.getlength(res, tup_num, field_num);
}

char *PQgetvalue(const PGresult *res, int tup_num, int field_num)
{
    return libpq.getvalue(res, tup_num, field_num);
}

int PQisBusy(PGconn *conn)
{
    return libpq.isBusy(conn);
}

int PQnfields(const PGresult *res)
{
    return libpq.nfields(res);
}

char *PQfname(const PGresult *res, int field_num)
{
    return libpq.fname(res, field_num);
}

Oid PQftype(const PGresult *res, int field_num)
{
    return libpq.ftype(res, field_num);
}

int PQntuples(const PGresult *res)
{
    return libpq.ntuples(res);
}

int PQputCopyData(PGconn *conn, const char *buffer, int nbytes)
{
    return libpq.putCopyData(conn, buffer, nbytes);
}

int PQputCopyEnd(PGconn *conn, const char *errormsg)
{
    return libpq.putCopyEnd(conn, errormsg);
}

char *PQresultErrorField(const PGresult *res, int fieldcode)
{
    return libpq.resultErrorField(res, fieldcode);
}

char *PQresultErrorMessage(const PGresult *res)
{
    return libpq.resultErrorMessage(res);
}

ExecStatusType PQresultStatus(const PGresult *res)
{
    return libpq.resultStatus(res);
}

int PQsendQuery(PGconn *conn, const char *query)
{
    return libpq.sendQuery(conn, query);
}

int PQserverVersion(const PGconn *conn)
{
    return libpq.serverVersion(conn);
}

int PQsetSingleRowMode(PGconn *conn)
{
    return libpq.setSingleRowMode(conn);
}

int PQsocket(const PGconn *conn)
{
    return libpq.socket(conn);
}

ConnStatusType PQstatus(const PGconn *conn)
{
    return libpq.status(conn);
}

PGTransactionStatusType PQtransactionStatus(const PGconn *conn)
{
    return libpq.transactionStatus(conn);
}

const char *PQparameterStatus(const PGconn *conn, const char *paramName)
{
    return libpq.parameterStatus(conn, paramName);
}

int PQsetnonblocking(PGconn *conn, int arg)
{
    return libpq.setnonblocking(conn, arg);
}

char *PQescapeLiteral(PGconn *conn, const char *str, size_t len)
{
    return libpq.escapeLiteral(conn, str, len);
}

char *PQescapeIdentifier(PGconn *conn, const char *str, size_t len)
{
    return libpq.escapeIdentifier(conn, str, len);
}

PQnoticeProcessor PQsetNoticeProcessor(PGconn *conn, PQnoticeProcessor proc, void *arg)
{
    return libpq.setNoticeProcessor(conn, proc, arg);
}

PGcancel *PQgetCancel(PGconn *conn)
{
    return libpq.getCancel(conn);
}

int PQcancel(PGcancel *cancel, char *errbuf, int errbufsize)
{
    return libpq.cancel(cancel, errbuf, errbufsize);
}

void PQfreeCancel(PGcancel *cancel)
{
    libpq.freeCancel(cancel);
}

int PQbackendPID(const PGconn *conn)
{
    return libpq.backendPID(conn);
}

int PQsslInUse(PGconn *conn)
{
    return libpq.sslInUse(conn);
}
