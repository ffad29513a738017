// The workspace: its name, whom it notifies, and the applications that may use the API.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSession } from "../app/session";
import { config, open } from "./client";

export type Trigger = "sendOnSuccess" | "sendOnFailure";

interface Item {
    notificationType: string[];
    slackConfiguration?: { webhook: string };
}

export interface Workspace {
    workspaceId: string;
    name: string;
    notificationSettings?: Partial<Record<Trigger, Item>>;
}

export interface Application {
    id: string;
    name: string;
    clientId: string;
    clientSecret: string;
    createdAt: number;
}

export function useWorkspace() {
    const { workspaceId } = useSession();
    return useQuery({ queryKey: ["workspace"], queryFn: ({ signal }) => config<Workspace>("workspaces/get", { workspaceId }, signal) });
}

export function useUpdateWorkspace() {
    const { workspaceId } = useSession();
    const client = useQueryClient();
    return useMutation({
        mutationFn: (changed: Partial<Workspace>) => config("workspaces/update", { workspaceId, ...changed }),
        onSuccess: () => client.invalidateQueries({ queryKey: ["workspace"] }),
    });
}

export function tryWebhook(trigger: Trigger, webhook: string) {
    return config<{ status: "succeeded" | "failed"; message?: string }>("notifications/try_webhook", {
        trigger: trigger === "sendOnSuccess" ? "sync_success" : "sync_failure",
        slackConfiguration: { webhook },
    });
}

export function useApplications() {
    return useQuery({
        queryKey: ["applications"],
        queryFn: async ({ signal }) => (await open.get<{ applications: Application[] }>("applications", signal)).applications,
    });
}

export function useCreateApplication() {
    const client = useQueryClient();
    return useMutation({
        mutationFn: (name: string) => open.post<Application>("applications", { name }),
        onSuccess: () => client.invalidateQueries({ queryKey: ["applications"] }),
    });
}

export function useDeleteApplication() {
    const client = useQueryClient();
    return useMutation({
        mutationFn: (id: string) => open.remove(`applications/${id}`),
        onSuccess: () => client.invalidateQueries({ queryKey: ["applications"] }),
    });
}
